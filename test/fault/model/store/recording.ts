import type { DateTime } from 'luxon';
import type { Transition } from '../../../../src/billing/attempt.ts';
import { AWAITING_CARD } from '../../../../src/billing/invoice.ts';
import type { SubscriptionStatus } from '../../../../src/billing/subscription-status.ts';
import type { Subject } from '../../../../src/store/record.ts';
import { cleared } from './owing.ts';
import type { AttemptRow, InvoiceRow, SubscriptionRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** `store/record.ts` in memory: a transition is carried out, or somebody else's answer stands. */
export function record(tables: Tables, subject: Subject, next: Transition): boolean {
  const subscription = tables.subscriptions.get(subject.subscription.id);
  const invoice = tables.invoices.get(subject.invoiceId);
  if (subscription === undefined || invoice?.subscription_id !== subscription.id) return false;
  if (!mayMove(invoice, next)) return false;
  const [attempt] = tables.attempts.where(
    (row) =>
      row.merchant_uid === subject.merchantUid &&
      row.invoice_id === invoice.id &&
      next.from.includes(row.state) &&
      (row.fence === subject.fence || next.fence === 'unfenced'),
  );
  if (attempt === undefined) return false;
  tables.attempts.put(attempt.id, moved(tables, attempt, next.attempt));
  tables.invoices.put(invoice.id, billed(tables, invoice, next.invoice));
  settleObservation(tables, subject, next.attempt);
  const status = statusAfter(tables, subscription, invoice, next.subscription);
  if (status !== null)
    tables.subscriptions.put(subscription.id, { ...subscription, status, ...ending(tables, status) });
  for (const { kind, payload } of next.events)
    if (status !== null || !kind.startsWith('subscription.')) tell(tables, subject, kind, payload);
  return true;
}

function mayMove({ state, reason }: InvoiceRow, next: Transition): boolean {
  if (next.whileAwaiting === true && reason !== AWAITING_CARD) return false;
  if (state === 'open' || state === 'retrying') return true;
  if (next.invoice.state !== 'paid') return false;
  return state === 'held' || state === 'uncollectible' || (state === 'review' && next.from.includes('review'));
}

function unsettledSince(nowMs: number, was: number | null, { state, unsettled }: Transition['attempt']): number | null {
  if (state !== 'prepared' || unsettled === false) return null;
  return unsettled === true ? (was ?? nowMs) : was;
}

function moved({ nowMs }: Tables, row: AttemptRow, to: Transition['attempt']): AttemptRow {
  const isAnswer = to.state === 'paid' || to.state === 'declined' || to.state === 'rejected';
  return {
    ...row,
    state: to.state,
    lease_until: null,
    lease_count: 0,
    not_sent_count: row.not_sent_count + (to.notSent === true && row.state === 'sent' ? 1 : 0),
    answered_at: isAnswer ? (row.state === to.state ? row.answered_at : nowMs) : null,
    imp_uid: to.impUid ?? row.imp_uid,
    decline_class: to.declineClass ?? null,
    fail_reason: to.failReason ?? null,
    not_found_count: row.not_found_count + (to.notFound === true ? 1 : 0),
    unsettled_since: unsettledSince(nowMs, row.unsettled_since, to),
    unanswered_at: millis(to.unansweredAt) ?? row.unanswered_at,
  };
}

function billed({ nowMs }: Tables, row: InvoiceRow, to: Transition['invoice']): InvoiceRow {
  return {
    ...row,
    state: to.state,
    reason: reasonAfter(row, to),
    next_at: millis(to.nextAt),
    failures: row.failures + (to.failed === true ? 1 : 0),
    paid_at: to.state === 'paid' ? nowMs : null,
    watch_at: millis(to.watchAt) ?? row.watch_at,
    retry_key_id: to.retryCardId ?? null,
  };
}

function reasonAfter({ reason }: InvoiceRow, to: Transition['invoice']): string | null {
  if (to.state !== 'open' && to.state !== 'retrying') return to.reason ?? null;
  return to.reason ?? (reason === AWAITING_CARD ? null : reason);
}

/** Only while it still says what was judged; what it says since is for the sweep, whatever that made of it before. */
function settleObservation(tables: Tables, { amount }: Subject, to: Transition['attempt']): void {
  if (to.state !== 'paid' || to.impUid === undefined) return;
  const seen = tables.observations.get(to.impUid);
  if (seen === undefined) return;
  const isAsJudged = seen.status === 'paid' && seen.amount === amount.minor && seen.currency === amount.currency;
  const accounted = isAsJudged
    ? ({ account_at: null, accounted_as: 'settles' } as const)
    : { account_at: tables.nowMs };
  tables.observations.put(seen.imp_uid, { ...seen, ...accounted });
}

/** The subscription's new status, or null where the statement leaves its row alone. */
function statusAfter(
  tables: Tables,
  subscription: SubscriptionRow,
  invoice: InvoiceRow,
  to: Transition['subscription'],
): SubscriptionStatus | null {
  const { status } = subscription;
  if (to === 'past_due' || to === 'accumulate') return status === 'active' ? 'past_due' : null;
  if (to === 'unpaid' || to === 'pause' || to === 'cancel')
    return status === 'active' || status === 'past_due' ? ENDED[to] : null;
  return to === undefined ? null : cleared(tables, subscription, invoice.id);
}

function ending({ nowMs }: Tables, status: SubscriptionStatus): Partial<SubscriptionRow> {
  return status === 'canceled' ? { canceled_at: nowMs, next_due_at: null } : {};
}

const ENDED = { unpaid: 'unpaid', pause: 'paused', cancel: 'canceled' } as const;

function tell(tables: Tables, subject: Subject, kind: string, payload: Transition['events'][number]['payload']): void {
  tables.outbox.push({
    kind,
    subscription_id: subject.subscription.id,
    invoice_id: subject.invoiceId,
    payload: {
      subscription_id: subject.subscription.externalId,
      invoice_id: subject.invoiceId,
      period: subject.periodKey,
      merchant_uid: subject.merchantUid,
      amount: subject.amount.minor,
      currency: subject.amount.currency,
      ...payload,
    },
    next_at: tables.nowMs,
  });
}

function millis(at: DateTime | undefined): number | null {
  return at?.toMillis() ?? null;
}
