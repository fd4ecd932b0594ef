import type { DateTime } from 'luxon';
import type { AttemptStanding } from '../billing/attempt.ts';
import type { DeclineClass } from '../billing/charge.ts';
import type { InvoiceId, MerchantUid } from '../billing/ids.ts';
import { AWAITING_CARD } from '../billing/invoice.ts';
import type { CardStanding } from '../billing/next-try.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import { type CardRow, cardsIn } from './cards.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import { Prisma } from './prisma/client.ts';
import type { Subject } from './record.ts';

/** An invoice that waited for another card, and whose last instant for it has come. */
export type CardAwaited = {
  /** Its last attempt, as `record` names it, with what is decided on. */
  readonly own: Subject & Omit<AttemptStanding, 'quarantineSeconds' | 'collecting'>;
  readonly decline: { readonly class: DeclineClass; readonly reason: string };
  readonly cards: readonly CardStanding[];
  /** Null where another card was registered in the place of the one that was declined. */
  readonly cardId: string | null;
  /** When it was let go after it was held, and another card could be given again; null where it was not held. */
  readonly releasedAt: DateTime | null;
  /** The last send of the invoice that nothing answered; null for none. */
  readonly unansweredAt: DateTime | null;
  readonly channel: string;
  readonly policy: DunningPolicy;
  readonly now: DateTime;
};

/** Whether the invoice `i` of the subscription `s` has waited for another card as long as it may. */
export const CARD_AWAITED = Prisma.sql`i.state = 'retrying' AND i.reason = ${AWAITING_CARD} AND i.next_at <= maedal_now()
       AND s.status IN ('trialing', 'active', 'past_due')`;

/**
 * Up to `limit` of them, the longest due first, under the version of their policy that is in force now. Locks nothing.
 */
export async function cardsAwaited(
  db: Db,
  limit: number,
  versions: Readonly<Record<string, string>>,
): Promise<CardAwaited[]> {
  const rows = await db.$queryRaw<Row[]>`
    SELECT i.id AS invoice_id, i.period_key, i.due_at, i.failures, i.written_off, s.id AS subscription_id, s.xmin::text AS version, s.external_id, s.channel, p.policy,
           maedal_now() AS now, a.merchant_uid, a.fence, a.state, a.sent_at, k.id AS card_id, a.decline_class, a.fail_reason,
           a.amount::float8 AS amount, a.currency, a.send_count - a.not_sent_count AS sends, maedal_cards(i.id) AS cards,
           (SELECT max(h.at) FROM history h WHERE h.entity_id = i.id AND h.from_state = 'held') AS released_at,
           (SELECT max(maedal_unanswered_at(x)) FROM attempt x WHERE x.invoice_id = i.id) AS unanswered_at
      FROM invoice i
      JOIN subscription s ON s.id = i.subscription_id
      CROSS JOIN (SELECT ${JSON.stringify(versions)}::jsonb AS by_policy) in_force
      JOIN policy_version p ON p.id = coalesce(in_force.by_policy ->> s.policy, in_force.by_policy ->> 'default', i.policy_version_id)
      JOIN LATERAL (SELECT * FROM attempt WHERE attempt.invoice_id = i.id AND attempt.state IN ('declined', 'rejected')
                          ORDER BY number DESC LIMIT 1) a ON true
      LEFT JOIN billing_key k ON k.id = a.billing_key_id AND k.registration = a.registration
     WHERE ${CARD_AWAITED}
     ORDER BY i.next_at, i.id LIMIT ${limit}`;
  return rows.map(awaited);
}

function awaited(row: Row): CardAwaited {
  return {
    own: {
      invoiceId: row.invoice_id,
      periodKey: row.period_key,
      amount: { minor: row.amount, currency: row.currency },
      merchantUid: row.merchant_uid,
      fence: row.fence,
      subscription: { id: row.subscription_id, externalId: row.external_id },
      version: row.version,
      state: row.state,
      dueAt: instant(row.due_at),
      sentAt: instantOrNull(row.sent_at),
      failures: row.failures,
      isWrittenOff: row.written_off,
      timesNotSent: 0,
      unsettledSince: null,
      sends: row.sends,
    },
    decline: { class: row.decline_class, reason: row.fail_reason ?? '' },
    cards: cardsIn(row.cards),
    cardId: row.card_id,
    releasedAt: instantOrNull(row.released_at),
    unansweredAt: instantOrNull(row.unanswered_at),
    channel: row.channel,
    policy: row.policy,
    now: instant(row.now),
  };
}

type Row = {
  invoice_id: InvoiceId;
  period_key: string;
  due_at: Date;
  failures: number;
  written_off: boolean;
  subscription_id: string;
  version: string;
  external_id: string;
  channel: string;
  policy: DunningPolicy;
  now: Date;
  merchant_uid: MerchantUid;
  fence: number;
  state: 'declined' | 'rejected';
  sent_at: Date | null;
  card_id: string | null;
  released_at: Date | null;
  unanswered_at: Date | null;
  decline_class: DeclineClass;
  fail_reason: string | null;
  amount: number;
  currency: string;
  sends: number;
  cards: CardRow[];
};
