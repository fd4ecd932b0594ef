import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { BeforeChargeAnswer } from '../../../src/billing/hook.ts';
import { freePort } from '../../support/process.ts';
import type { Chance } from './chance.ts';
import { ASKED_FILE, TOLD_FILE } from './functions.ts';
import { halvedOf, isPutOff } from './hooks.ts';
import { priceOf } from './subscribers.ts';
import type { Tally } from './tally.ts';

/** A before-hook that was asked, under its key. */
export type Asking = { readonly hook: string; readonly key: string };
/** An event that arrived at `/events`, at `/after` or at the function, with a mark of its bytes. */
export type Telling = z.infer<typeof told> & { readonly at: string; readonly mark: string };

/**
 * The merchant's own server: before-hooks, one that is told of charges, and an endpoint for events. Whatever arrives is
 * written down before it is answered, for a run that goes on where another one was cut off.
 */
export class CampaignMerchant {
  readonly url: string;
  /** Whether answers are lost, late and wrong now and then. */
  isFaulty = false;
  readonly #askedFile: string;
  readonly #toldFile: string;
  readonly #server: Server;
  readonly #chance: Chance;
  readonly #tally: Tally;
  /** Until when a charge was put off, by the key of its asking. */
  readonly #putOff = new Map<string, number>();

  private constructor(directory: string, port: number, chance: Chance, tally: Tally) {
    this.url = `http://127.0.0.1:${port}`;
    this.#askedFile = join(directory, ASKED_FILE);
    this.#toldFile = join(directory, TOLD_FILE);
    this.#chance = chance;
    this.#tally = tally;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(directory: string, chance: Chance, tally: Tally): Promise<CampaignMerchant> {
    const port = await freePort();
    const merchant = new CampaignMerchant(directory, port, chance, tally);
    await once(merchant.#server.listen(port, '127.0.0.1'), 'listening');
    return merchant;
  }

  /** Everything that was asked so far, in its order. */
  asked(): Asking[] {
    return linesOf(this.#askedFile).map((line) => asking.parse(line));
  }

  /** Everything that arrived so far, in its order. */
  told(): Telling[] {
    return linesOf(this.#toldFile).map((line) => telling.parse(line));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await text(request);
      const answer = request.url === '/before' ? this.#ask(body) : this.#tell(request.url ?? '', body);
      const fault = this.isFaulty ? this.#chance.weighed(FAULTS) : 'none';
      if (fault !== 'none') this.#tally.add('merchant', `${request.url} ${fault}`);
      if (fault === 'hang') return;
      if (fault === 'cut') response.destroy();
      else if (fault === 'error') response.writeHead(500).end('{"kind":"hold"}');
      else
        response.writeHead(200, { 'content-type': 'application/json' }).end(fault === 'garbage' ? '{"kind":' : answer);
    } catch {
      response.destroy(); // whoever asked is gone
    }
  }

  #ask(body: string): string {
    const { hook, idempotencyKey: key, now, subscription } = context.parse(JSON.parse(body));
    appendFileSync(this.#askedFile, `${JSON.stringify({ hook, key })}\n`);
    const number = Number(subscription.id.slice(4));
    const answer = hook === 'coupon' ? this.#coupon(number) : this.#stock(number, key, Date.parse(now));
    return JSON.stringify(answer);
  }

  #coupon(number: number): BeforeChargeAnswer {
    const amount = halvedOf(number);
    return amount === priceOf(number) ? { kind: 'proceed' } : { kind: 'adjust', amount };
  }

  /** A charge that is put off comes again a little more than a minute later, by the clock that decides. */
  #stock(number: number, key: string, nowMs: number): BeforeChargeAnswer {
    const untilMs = this.#putOff.get(key) ?? nowMs + PUT_OFF_MS;
    this.#putOff.set(key, untilMs);
    if (!isPutOff(number) || untilMs - nowMs < LEAST_MS) return { kind: 'proceed' };
    return { kind: 'defer', until: new Date(untilMs).toISOString() };
  }

  #tell(at: string, body: string): string {
    const mark = createHash('sha256').update(body).digest('base64');
    appendFileSync(this.#toldFile, `${JSON.stringify({ ...told.parse(JSON.parse(body)), at, mark })}\n`);
    return '';
  }
}

function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const asking = z.object({ hook: z.string(), key: z.string() });
const told = z.object({ id: z.string(), type: z.string(), sequence: z.number().nullable() });
const telling = told.extend({ at: z.string(), mark: z.string() });
const context = z.object({
  hook: z.string(),
  idempotencyKey: z.string(),
  now: z.string(),
  subscription: z.object({ id: z.string() }),
});

/** Of a hundred calls. */
const FAULTS = [
  ['none', 90],
  ['error', 4],
  ['cut', 3],
  ['garbage', 2],
  ['hang', 1],
] as const;
const PUT_OFF_MS = 75_000;
/** No hook can put a charge off for less. */
const LEAST_MS = 60_000;
