import { z } from 'zod';
import { type Clock, systemClock } from '../clock.ts';

/** Money that moved in the sandbox: a capture or a cancel. Amounts in minor units, instants as ISO 8601 in UTC. */
export type LedgerEntry = {
  readonly imp_uid: string;
  readonly merchant_uid: string;
  readonly customer_uid: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly status: 'paid' | 'cancelled';
  readonly captured_at: string;
  readonly cancelled_at: string | null;
  readonly custom_data: unknown;
};

/** A PortOne V1 for one test. */
export type TestSandbox = {
  /** For `PORTONE_BASE_URL`; its key pair is `imp_sandbox` and `sandbox_secret`. */
  readonly url: string;
  /** Everything that was captured or cancelled, in its order. */
  ledger(): Promise<readonly LedgerEntry[]>;
  /** Stores a test card, by its name or number, under this `customer_uid`. Rejects with what is wrong with it. */
  setCard(customerUid: string, card: string): Promise<void>;
  /** Asks for a fault as `POST /_sandbox/faults` takes it, such as `{ on: 'again', what: 'reset', times: 1 }`. */
  setFault(fault: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
};

/**
 * Serves PortOne V1 on 127.0.0.1 with test cards, in memory, at any free port unless one is named. With a virtual clock,
 * what it does later it does when that is moved. Rejects with `code` EADDRINUSE when the port is taken.
 */
export async function startSandbox(options: { port?: number; clock?: Clock } = {}): Promise<TestSandbox> {
  const { port = 0, clock = systemClock } = options;
  const sandbox = await import('../sandbox/server.ts'); // a whole HTTP server: who tests a hook alone does without
  const { url, close } = await sandbox.startSandbox({ host: '127.0.0.1', port, directory: null, clock });
  return {
    url,
    close,
    ledger: async () => {
      const entries: LedgerEntry[] = [];
      for (let cursor: string | null = '0'; cursor !== null; ) {
        const page: Page = pageSchema.parse(await ask(`${url}/_sandbox/ledger?cursor=${cursor}`));
        entries.push(...page.data);
        cursor = page.next_cursor;
      }
      return entries;
    },
    setCard: async (customerUid, card) => {
      await ask(`${url}/_sandbox/cards/${encodeURIComponent(customerUid)}`, { card });
    },
    setFault: async (fault) => {
      await ask(`${url}/_sandbox/faults`, fault);
    },
  };
}

/** Reads, or posts where there is something to post. Throws what the sandbox says is wrong. */
async function ask(address: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(address, body && { method: 'POST', headers, body: JSON.stringify(body) });
  const told: unknown = await answer.json();
  if (answer.ok) return told;
  throw new RangeError(z.object({ message: z.string() }).parse(told).message);
}

const pageSchema = z.object({
  data: z.array(
    z.object({
      imp_uid: z.string(),
      merchant_uid: z.string(),
      customer_uid: z.string().nullable(),
      amount: z.number(),
      currency: z.string(),
      status: z.enum(['paid', 'cancelled']),
      captured_at: z.string(),
      cancelled_at: z.string().nullable(),
      custom_data: z.unknown(),
    }),
  ),
  next_cursor: z.string().nullable(),
});
type Page = z.output<typeof pageSchema>;
