import { watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from '@jest/globals';
import type { Clock } from '../../src/clock.ts';
import type { Entry } from '../../src/sandbox/entry.ts';
import { LedgerReader } from '../../src/sandbox/ledger-file.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/server.ts';

/** A clock that moves only by hand. */
export class HandClock implements Clock {
  #nowMs = Date.UTC(2027, 0, 31, 1);
  readonly #waiting: (() => void)[] = [];
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    for (const tell of this.#waiting.splice(0)) tell();
    const timer = { dueMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Resolves when somebody waits for this clock next. */
  awaited(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
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
  again(fields?: Readonly<Record<string, unknown>>, signal?: AbortSignal | null): Promise<Answer>;
  /** Stores a test card under a customer_uid. */
  store(customerUid: string, card: string): Promise<void>;
  /** Asks for a fault; on charges unless told otherwise. */
  fault(what: string, fields?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Moves the sandbox's own clock. */
  pass(ms: number): Promise<void>;
};

type BenchOptions = Omit<Partial<SandboxOptions>, 'clock'> & { readonly clock?: HandClock };

const open = new Set<Sandbox>();
const directories: string[] = [];

afterEach(async () => {
  await Promise.all([...open].map((sandbox) => sandbox.close()));
  open.clear();
  await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true })));
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
    again: (fields, signal = null) => {
      const body = JSON.stringify({ ...CHARGE, ...fields });
      return send('/subscribe/payments/again', { method: 'POST', body, signal });
    },
    store: async (customerUid, card) => {
      expect((await post(`/_sandbox/cards/${customerUid}`, { card })).status).toBe(200);
    },
    fault: async (what, fields) => {
      expect(await post('/_sandbox/faults', { on: 'again', what, ...fields })).toMatchObject({ status: 200 });
    },
    pass: async (ms) => {
      expect((await post('/_sandbox/clock', { advance_ms: ms })).status).toBe(200);
    },
  };
  await bench.store('card-1', 'approve');
  return bench;
}

/** Every entry of a ledger file as it is now. */
export async function entriesIn(directory: string): Promise<readonly Entry[]> {
  const path = join(directory, 'ledger.jsonl');
  return new LedgerReader(path).read(await readFile(path));
}

/** The entries of a ledger file once they are as wanted; looks again whenever something changes in the directory. */
export function entriesOnce(
  directory: string,
  isWanted: (entries: readonly Entry[]) => boolean,
): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const entries = await entriesIn(directory);
      if (!isWanted(entries)) return;
      watcher.close();
      resolve(entries);
    };
    const watcher = watch(directory, () => void look().catch(reject));
  });
}

/** How many requests have arrived. */
export function arrivals(entries: readonly Entry[]): number {
  return entries.filter(({ kind }) => kind === 'request').length;
}

/** A directory of the test's own, gone after it. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'maedal-sandbox-'));
  directories.push(directory);
  return directory;
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

/** A charge over a connection of the test's own, which gives the bytes that came back. */
export type RawCharge = {
  /** The first bytes that match, past or to come. */
  until(pattern: RegExp): Promise<string>;
  /** Everything, and how the connection ended: in peace, or by a reset. */
  readonly ended: Promise<{ readonly text: string; readonly error: string | null }>;
  readonly socket: Socket;
};

/** Charges `order-1` as a client on the wire would see it. */
export async function chargeRaw({ url }: Pick<Bench, 'url'>): Promise<RawCharge> {
  const authorization = await tokenFrom(url);
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  let seen = '';
  let error: string | null = null;
  const looking = new Set<() => void>();
  socket.setEncoding('utf8').on('data', (chunk) => {
    seen += String(chunk);
    for (const look of looking) look();
  });
  socket.on('error', (thrown) => {
    error = 'code' in thrown ? String(thrown.code) : thrown.message;
  });
  const ended = new Promise<{ text: string; error: string | null }>((resolve) => {
    socket.once('close', () => resolve({ text: seen, error }));
  });
  const body = JSON.stringify(CHARGE);
  const head = ['POST /subscribe/payments/again HTTP/1.1', 'host: sandbox', 'content-type: application/json'];
  const more = [`authorization: ${authorization}`, `content-length: ${Buffer.byteLength(body)}`];
  socket.write([...head, ...more, '', body].join('\r\n'));
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => pattern.test(seen) && resolve(seen);
      looking.add(look);
      look();
      void ended.then(() => reject(new Error(`the connection ended with ${seen}`)));
    });
  return { socket, until, ended };
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
