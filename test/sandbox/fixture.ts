import { afterEach, expect } from '@jest/globals';
import type { Clock } from '../../src/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/server.ts';

/** A clock that moves only by hand. */
export class HandClock implements Clock {
  #nowMs = Date.UTC(2027, 0, 31, 1);
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#timers) {
      if (timer.dueMs <= this.#nowMs && this.#timers.delete(timer)) timer.callback();
    }
  }
}

/** An answer in V1's envelope. */
export type Answer = {
  readonly status: number;
  readonly code: unknown;
  readonly message: unknown;
  readonly response: unknown;
  readonly body: unknown;
};

/** A sandbox under test. Calls ask for a token first, as some clients do. */
export type Bench = {
  readonly url: string;
  readonly clock: HandClock;
  readonly sandbox: Sandbox;
  get(path: string): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  /** Form-urlencoded, as old clients send. */
  postForm(path: string, body: string): Promise<Answer>;
  /** `again` with a believable body, on the key `card-1` unless told otherwise. */
  again(fields?: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Stores a test card under a customer_uid. */
  store(customerUid: string, card: string): Promise<void>;
  /** Moves the sandbox's own clock. */
  pass(ms: number): Promise<void>;
};

type BenchOptions = Omit<Partial<SandboxOptions>, 'clock'> & { readonly clock?: HandClock };

const open = new Set<Sandbox>();

afterEach(async () => {
  await Promise.all([...open].map((sandbox) => sandbox.close()));
  open.clear();
});

/** Starts a sandbox in memory that stops after the test; `card-1` approves. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const clock = options.clock ?? new HandClock();
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, directory: null, ...options, clock });
  open.add(sandbox);
  const { url } = sandbox;
  const send = async (path: string, init: RequestInit, type = 'application/json') => {
    const headers = { ...(await authorize(url, path)), 'content-type': type };
    return call(url + path, { ...init, headers });
  };
  const post: Bench['post'] = (path, body) => send(path, { method: 'POST', body: JSON.stringify(body) });
  const bench: Bench = {
    url,
    clock,
    sandbox,
    get: (path) => send(path, {}),
    delete: (path) => send(path, { method: 'DELETE' }),
    post,
    postForm: (path, body) => send(path, { method: 'POST', body }, 'application/x-www-form-urlencoded'),
    again: (fields) => post('/subscribe/payments/again', { ...CHARGE, ...fields }),
    store: async (customerUid, card) => {
      expect((await post(`/_sandbox/cards/${customerUid}`, { card })).status).toBe(200);
    },
    pass: async (ms) => {
      expect((await post('/_sandbox/clock', { advance_ms: ms })).status).toBe(200);
    },
  };
  await bench.store('card-1', 'approve');
  return bench;
}

async function authorize(url: string, path: string): Promise<Record<string, string>> {
  return /^\/(users|_sandbox)\//.test(path) ? {} : { authorization: await tokenFrom(url) };
}

/** Asks for a token with the default key pair. */
export async function tokenFrom(url: string): Promise<string> {
  const { response } = await call(`${url}/users/getToken`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' }),
  });
  return text({ response }, 'access_token');
}

/** One call, its answer read as JSON. */
export async function call(url: string, init?: RequestInit): Promise<Answer> {
  const answer = await fetch(url, init);
  const body: unknown = await answer.json();
  const { code, message, response } = isRecord(body) ? body : {};
  return { status: answer.status, code, message, response, body };
}

/** A text inside `response`. */
export function text({ response }: Pick<Answer, 'response'>, name: string): string {
  return String(isRecord(response) ? response[name] : undefined);
}

/** A number inside `response`. */
export function number({ response }: Pick<Answer, 'response'>, name: string): number {
  return Number(isRecord(response) ? response[name] : undefined);
}

/** A good charge of ₩9,900. */
export const CHARGE = { customer_uid: 'card-1', merchant_uid: 'order-1', amount: 9_900, name: '월 구독' };

/** Card data that is issued a key which approves. */
export const CARD = { card_number: '9410-1234-5678-1234', expiry: '2030-12', birth: '900101', pwd_2digit: '12' };

/** The refusal of a merchant_uid that was paid or cancelled. */
export const DUPLICATE = {
  status: 200,
  code: -1,
  message: '이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)',
  response: null,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
