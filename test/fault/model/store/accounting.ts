import type { Unaccounted } from '../../../../src/store/captures.ts';
import { instant, instantOrNull } from '../../../../src/store/instant.ts';
import { keyOf, policyOf } from './leasing.ts';
import { merchantUidOf } from './merchant-uid.ts';
import { ALIVE, isSameOpenRefund } from './protections.ts';
import type { AttemptRow, ObservationRow, RefundRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** `unaccountedCaptures` of `store/captures.ts` in memory. */
export function unaccountedCaptures(tables: Tables, limit: number, sandbox: boolean): Unaccounted[] {
  const { nowMs } = tables;
  const due = tables.observations.where(
    ({ account_at, status, merchant_uid }) =>
      account_at !== null &&
      account_at <= nowMs &&
      (status === 'paid' || status === 'cancelled') &&
      attemptOf(tables, merchant_uid) !== undefined,
  );
  due.sort(
    (one, other) =>
      (one.account_at ?? 0) - (other.account_at ?? 0) ||
      (one.paid_at ?? Infinity) - (other.paid_at ?? Infinity) ||
      (one.imp_uid < other.imp_uid ? -1 : 1),
  );
  return due.slice(0, limit).flatMap((seen) => {
    const attempt = attemptOf(tables, seen.merchant_uid);
    return attempt === undefined ? [] : [unaccounted(tables, seen, attempt, sandbox)];
  });
}

function attemptOf(tables: Tables, merchantUid: string): AttemptRow | undefined {
  return tables.attempts.where(({ merchant_uid }) => merchant_uid === merchantUid)[0];
}

function unaccounted(tables: Tables, seen: ObservationRow, attempt: AttemptRow, sandbox: boolean): Unaccounted {
  const invoice = tables.invoices.at(attempt.invoice_id);
  const subscription = tables.subscriptions.at(invoice.subscription_id);
  const amount = { minor: attempt.amount ?? invoice.amount, currency: attempt.currency ?? invoice.currency };
  const subject = {
    invoiceId: invoice.id,
    periodKey: invoice.period_key,
    amount,
    subscription: { id: subscription.id, externalId: subscription.external_id },
  };
  const living = livingBeside(tables, attempt);
  const refunds = tables.refunds.where(({ imp_uid, state }) => imp_uid === seen.imp_uid && state !== 'failed');
  return {
    capture: {
      impUid: seen.imp_uid,
      status: seen.status === 'cancelled' ? 'cancelled' : 'paid',
      amount: seen.amount === null || seen.currency === null ? null : { minor: seen.amount, currency: seen.currency },
      cancelMinor: seen.cancel_amount,
      customerUid: seen.customer_uid,
      sandbox: seen.sandbox,
      refundMinor: refunds.reduce((sum, refund) => sum + refund.amount, 0),
      attempt: {
        state: attempt.state,
        impUid: attempt.imp_uid,
        hold: holdOf(tables, attempt),
        asked: {
          customerUid: attempt.customer_uid ?? keyOf(tables, subscription.billing_key_id).customer_uid,
          amount,
          sandbox,
        },
        invoice: invoice.state,
        others: othersInReview(tables, seen, invoice.id) ? 'in-review' : 'none',
        sibling: living === undefined ? null : { state: living.state, hold: holdOf(tables, living) },
      },
    },
    own: {
      ...subject,
      merchantUid: attempt.merchant_uid,
      fence: attempt.fence,
      state: attempt.state,
      dueAt: instant(new Date(invoice.due_at)),
      sentAt: instantOrNull(attempt.sent_at === null ? null : new Date(attempt.sent_at)),
      failures: invoice.failures,
      timesNotSent: 0,
      unsettledSince: null,
      collecting: null,
      sends: attempt.send_count - attempt.not_sent_count,
    },
    living:
      living === undefined
        ? null
        : { ...subject, merchantUid: merchantUidOf(living.merchant_uid), fence: living.fence },
    channel: subscription.channel,
    policy: policyOf(tables, invoice),
    now: instant(new Date(tables.nowMs)),
  };
}

function othersInReview(tables: Tables, { imp_uid }: ObservationRow, invoiceId: string): boolean {
  const uids = new Set<string>(
    tables.attempts.where((row) => row.invoice_id === invoiceId).map((row) => row.merchant_uid),
  );
  return (
    tables.observations.where(
      (row) =>
        uids.has(row.merchant_uid) && row.imp_uid !== imp_uid && row.accounted_as === 'review' && row.status === 'paid',
    ).length > 0
  );
}

function livingBeside(tables: Tables, attempt: AttemptRow): AttemptRow | undefined {
  const living = tables.attempts.where(
    (other) => other.invoice_id === attempt.invoice_id && other.id !== attempt.id && ALIVE.has(other.state),
  );
  if (living.length > 1) throw new Error('more than one row returned by a subquery used as an expression');
  return living[0];
}

function holdOf({ nowMs }: Tables, { lease_until }: AttemptRow): 'leased' | 'free' {
  return lease_until !== null && lease_until > nowMs ? 'leased' : 'free';
}

/** `accountAs` in memory. */
export function accountAs(tables: Tables, impUid: string, as: 'settles' | 'returned' | 'wait'): void {
  const seen = tables.observations.get(impUid);
  if (seen === undefined || seen.account_at === null) return;
  tables.observations.put(impUid, {
    ...seen,
    accounted_as: as === 'wait' ? null : as,
    account_at: as === 'wait' ? tables.nowMs + 2_000 : null,
  });
  if (as === 'settles') tellOfCut(tables, seen);
  if (as === 'returned') for (const refund of proposalsMet(tables, seen)) close(tables, refund);
}

/** Somebody else gave a part of it back. */
function tellOfCut(tables: Tables, { imp_uid, merchant_uid, amount, cancel_amount, currency }: ObservationRow): void {
  const refunds = tables.refunds.where((refund) => refund.imp_uid === imp_uid && refund.state !== 'failed');
  const [attempt] = tables.attempts.where((row) => row.merchant_uid === merchant_uid);
  if (attempt === undefined || cancel_amount <= refunds.reduce((sum, refund) => sum + refund.amount, 0)) return;
  const { id, subscription_id } = tables.invoices.at(attempt.invoice_id);
  tables.outbox.push({
    kind: 'charge.cancelled_in_part',
    subscription_id,
    invoice_id: id,
    payload: { imp_uid, merchant_uid, amount, cancelled: cancel_amount, currency },
    next_at: tables.nowMs,
  });
}

/** Refunds that were only proposed, of what came back by another hand. */
function proposalsMet({ refunds }: Tables, { imp_uid, amount, cancel_amount }: ObservationRow): RefundRow[] {
  return refunds.where(
    (refund) =>
      refund.imp_uid === imp_uid &&
      refund.state === 'prepared' &&
      refund.next_at === null &&
      amount !== null &&
      cancel_amount - (amount - refund.checksum) === refund.amount,
  );
}

function close(tables: Tables, refund: RefundRow): void {
  tables.refunds.put(refund.id, { ...refund, state: 'done' });
  const { imp_uid, amount, currency, reason } = refund;
  const { id, subscription_id, period_key } = tables.invoices.at(refund.invoice_id);
  tables.outbox.push({
    kind: 'refund.succeeded',
    subscription_id,
    invoice_id: id,
    payload: { invoice_id: id, period: period_key, imp_uid, amount, currency, reason },
    next_at: tables.nowMs,
  });
}

/** `putUpForRefund` in memory. */
export function putUpForRefund(
  tables: Tables,
  { capture, own }: Unaccounted,
  { reason, approval }: { readonly reason: string; readonly approval: 'approved' | 'proposed' },
): boolean {
  const seen = tables.observations.get(capture.impUid);
  if (seen === undefined || seen.account_at === null) return false;
  tables.observations.put(seen.imp_uid, { ...seen, account_at: null, accounted_as: 'refund' });
  const left = (seen.amount ?? 0) - seen.cancel_amount;
  if (seen.amount === null || seen.currency === null || left <= 0) return false;
  const refund: RefundRow = {
    id: tables.nextId(),
    invoice_id: own.invoiceId,
    imp_uid: seen.imp_uid,
    amount: left,
    currency: seen.currency,
    checksum: left,
    reason,
    requested_by: 'maedal',
    state: 'prepared',
    next_at: approval === 'approved' ? tables.nowMs : null,
  };
  if (tables.refunds.where((other) => isSameOpenRefund(refund, other)).length > 0) return false;
  tables.refunds.put(refund.id, refund);
  const { amount, currency, imp_uid, merchant_uid } = seen;
  tables.outbox.push({
    kind: 'charge.doubled',
    subscription_id: own.subscription.id,
    invoice_id: own.invoiceId,
    payload: { imp_uid, merchant_uid, amount, currency, reason, refund: approval },
    next_at: tables.nowMs,
  });
  return true;
}

/** `putUpForReview` in memory. */
export function putUpForReview(tables: Tables, { capture, own }: Unaccounted, reason: string): boolean {
  const invoice = tables.invoices.get(own.invoiceId);
  const seen = tables.observations.get(capture.impUid);
  if (invoice?.subscription_id !== own.subscription.id || seen === undefined) return false;
  if (isAnotherBusy(tables, own) || (seen.account_at === null && seen.accounted_as === 'review')) return false;
  tables.observations.put(seen.imp_uid, { ...seen, account_at: null, accounted_as: 'review' });
  for (const attempt of tables.attempts.where(
    ({ merchant_uid, state }) => merchant_uid === own.merchantUid && ALIVE.has(state) && state !== 'review',
  )) {
    const stopped = { state: 'review', fail_reason: reason, answered_at: null, lease_until: null } as const;
    tables.attempts.put(attempt.id, { ...attempt, ...stopped });
  }
  if (invoice.state !== 'review')
    tables.invoices.put(invoice.id, { ...invoice, state: 'review', reason, next_at: null, paid_at: null });
  tables.outbox.push({
    kind: 'invoice.needs_review',
    subscription_id: own.subscription.id,
    invoice_id: invoice.id,
    payload: { imp_uid: capture.impUid, reason },
    next_at: tables.nowMs,
  });
  return true;
}

/** While another attempt of the invoice is with a worker, or its fate is open, nobody may be kept from looking it up. */
function isAnotherBusy({ attempts, nowMs }: Tables, { invoiceId, merchantUid }: Unaccounted['own']): boolean {
  const others = attempts.where((other) => other.invoice_id === invoiceId && other.merchant_uid !== merchantUid);
  return others.some(({ state, lease_until }) => {
    if (state === 'sent' || state === 'unknown') return true;
    return state === 'prepared' && lease_until !== null && lease_until > nowMs;
  });
}
