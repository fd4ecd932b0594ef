import type { DeclineClass } from '../billing/charge.ts';
import type { AttemptId } from '../billing/ids.ts';
import type { CardStanding } from '../billing/next-try.ts';
import type { Db } from './db.ts';
import { instant } from './instant.ts';

/** Cards as they were read. */
export type PresentCards = {
  readonly cards: readonly CardStanding[];
  readonly cardId: string | null;
  /** Of the subscription: changes with every write to it, and so with every card that it is given. */
  readonly version?: string;
};

/** The payer's cards as an attempt that was sent finds them now: one may have been given while it was on its way. */
export async function presentCards(db: Db, id: AttemptId): Promise<PresentCards> {
  const [row] = await db.$queryRaw<{ cards: CardRow[]; card_id: string | null; version: string }[]>`
    SELECT maedal_cards(a.invoice_id) AS cards, k.id AS card_id, s.xmin::text AS version
      FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id
      LEFT JOIN billing_key k ON k.id = a.billing_key_id AND k.registration = a.registration WHERE a.id = ${id}::uuid`;
  if (row === undefined) throw new Error(`there is no attempt ${id}`);
  return { cards: cardsIn(row.cards), cardId: row.card_id, version: row.version };
}

/** Cards as `maedal_cards` gives them. */
export function cardsIn(rows: readonly CardRow[]): CardStanding[] {
  return rows.map(({ id, declines, refusals, lastTriedAt, declined }) => ({
    id,
    declines,
    refusals,
    declined,
    lastTriedAt: lastTriedAt === null ? null : instant(new Date(lastTriedAt)),
  }));
}

export type CardRow = {
  id: string;
  declines: number;
  refusals: number;
  lastTriedAt: string | null;
  declined: DeclineClass | null;
};
