import type { Books, Post, Violation } from '../books.ts';
import { type Bar, barsOf, type Orders } from '../orders.ts';
import type { CampaignPostgres } from '../postgres.ts';

/**
 * Holds what the gateway was asked against what the database had committed: every POST belongs to an intent, came after
 * it, asks for what it froze, and never before the invoice was due, nor after a cancel, a pause
 * or a void that somebody had been told of (I5, I7, I8, I9). Asks about each POST once.
 */
export class SendsOracle {
  readonly #postgres: CampaignPostgres;
  readonly #books: Books;
  readonly #orders: Orders;
  readonly #byUid = new Map<string, Post[]>();
  #asked = 0;

  constructor(postgres: CampaignPostgres, books: Books, orders: Orders) {
    this.#postgres = postgres;
    this.#orders = orders;
    this.#books = books;
  }

  /** What is wrong with the POSTs that the books heard of since the last call. */
  async judge(): Promise<Violation[]> {
    const fresh = this.#books.inOrder.slice(this.#asked);
    this.#asked += fresh.length;
    const uids = new Set<string>();
    for (const post of fresh) {
      this.#byUid.set(post.merchantUid, [...(this.#byUid.get(post.merchantUid) ?? []), post]);
      uids.add(post.merchantUid);
    }
    const violations: Violation[] = [];
    const all = [...uids];
    for (let from = 0; from < all.length; from += BATCH) {
      const some = all.slice(from, from + BATCH);
      const rows = new Map((await this.#postgres.query<Row>(ATTEMPTS, [some])).map((row) => [row.merchant_uid, row]));
      for (const uid of some) {
        const row = rows.get(uid);
        const bars = row === undefined ? [] : barsOf(this.#orders.of(row.key));
        violations.push(...judgeUid(this.#byUid.get(uid) ?? [], row, bars));
      }
    }
    return violations;
  }
}

/** What is wrong with the requests under one id, given its attempt's row and when nothing might be sent for its period. */
export function judgeUid(posts: readonly Post[], row: Row | undefined, bars: readonly Bar[]): Violation[] {
  const [first] = posts;
  if (first === undefined) return [];
  const { key, merchantUid } = first;
  const wrong: Violation[] = [];
  const complain = (invariant: string, what: string) => wrong.push({ invariant, key, what: `${merchantUid}: ${what}` });
  if (row === undefined) {
    complain('I5', 'charged, but the database knows no such attempt');
    return wrong;
  }
  if (row.key !== key) complain('I8', `charged for '${key}', but the attempt is for '${row.key}'`);
  if (posts.length > row.send_count) complain('I5', `${posts.length} requests for ${row.send_count} intents`);
  for (const [index, post] of posts.entries()) {
    // The gateway's milliseconds are rounded down.
    const committed = row.sent_ms.filter((ms) => ms <= post.hostMs + 1).length;
    if (committed <= index) complain('I7', `request ${post.serial} arrived before its intent was committed`);
    if (post.minor !== row.amount || post.currency !== row.currency || post.customerUid !== row.customer_uid) {
      complain('I8', `request ${post.serial} asks for other than the attempt froze`);
    }
  }
  if (!row.was_due) complain('I9', 'sent before it was due');
  for (const { fromMs, untilMs, why } of bars) {
    // Our own milliseconds are rounded down.
    if (row.sent_ms.some((ms) => ms > fromMs + 1 && ms < untilMs)) complain('I9', `intended after ${why}`);
  }
  return wrong;
}

/** An attempt, with the instants at which its intents were committed. */
export type Row = {
  merchant_uid: string;
  key: string;
  send_count: number;
  amount: number | null;
  currency: string | null;
  customer_uid: string | null;
  was_due: boolean;
  sent_ms: number[];
};

const ATTEMPTS = `
  SELECT a.merchant_uid, s.external_id || ' ' || i.period_key AS key, a.send_count, a.amount::float8 AS amount, a.currency,
         a.customer_uid, coalesce(a.first_sent_at >= i.due_at, true) AS was_due,
         ARRAY(SELECT extract(epoch FROM pg_xact_commit_timestamp(h.xmin))::float8 * 1000 FROM history h
                WHERE h.entity_id = a.id AND h.to_state = 'sent' ORDER BY h.id) AS sent_ms
    FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id
   WHERE a.merchant_uid = ANY($1)`;
const BATCH = 1_000;
