import { AWAITING_CARD } from '../../../../src/billing/invoice.ts';
import type { CardAwaited } from '../../../../src/store/awaiting.ts';
import { instant, instantOrNull } from '../../../../src/store/instant.ts';
import { cardsOf, classOf, policyOf, unansweredAt } from './leasing.ts';
import type { AttemptRow, InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** `cardsAwaited` of `store/awaiting.ts` in memory. */
export function cardsAwaited(tables: Tables, limit: number): CardAwaited[] {
  const due = tables.invoices
    .where(
      ({ state, reason, next_at }) =>
        state === 'retrying' && reason === AWAITING_CARD && next_at !== null && next_at <= tables.nowMs,
    )
    .sort((one, other) => (one.next_at ?? 0) - (other.next_at ?? 0) || (one.id < other.id ? -1 : 1));
  return due.slice(0, limit).flatMap((invoice) => {
    const attempts = tables.attempts.where(({ invoice_id }) => invoice_id === invoice.id);
    const declined = attempts.filter(({ state }) => state === 'declined' || state === 'rejected');
    const [last] = declined.sort((one, other) => other.number - one.number);
    const open = attempts.flatMap((row) => unansweredAt(row) ?? []);
    return last === undefined ? [] : [awaited(tables, invoice, last, open.length === 0 ? null : Math.max(...open))];
  });
}

function awaited(tables: Tables, invoice: InvoiceRow, attempt: AttemptRow, unanswered: number | null): CardAwaited {
  const subscription = tables.subscriptions.at(invoice.subscription_id);
  return {
    own: {
      invoiceId: invoice.id,
      periodKey: invoice.period_key,
      amount: { minor: attempt.amount ?? 0, currency: attempt.currency ?? '' },
      merchantUid: attempt.merchant_uid,
      fence: attempt.fence,
      subscription: { id: subscription.id, externalId: subscription.external_id },
      state: attempt.state,
      dueAt: instant(new Date(invoice.due_at)),
      sentAt: instantOrNull(attempt.sent_at === null ? null : new Date(attempt.sent_at)),
      failures: invoice.failures,
      timesNotSent: 0,
      unsettledSince: null,
      sends: attempt.send_count - attempt.not_sent_count,
    },
    decline: { class: classOf(attempt) ?? 'other', reason: attempt.fail_reason ?? '' },
    cards: cardsOf(tables, invoice),
    cardId: attempt.billing_key_id ?? '',
    releasedAt: releasedAt(tables, invoice),
    unansweredAt: instantOrNull(unanswered === null ? null : new Date(unanswered)),
    channel: subscription.channel,
    policy: policyOf(tables, invoice),
    now: instant(new Date(tables.nowMs)),
  };
}

/** When it was last let go after it was held. */
function releasedAt({ history }: Tables, { id }: InvoiceRow): CardAwaited['releasedAt'] {
  const last = history.findLast(({ entity_id, from_state }) => entity_id === id && from_state === 'held');
  return last === undefined ? null : instant(new Date(last.at));
}
