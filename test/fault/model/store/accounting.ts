import type { Capture } from '../../../../src/billing/capture.ts';
import type { Unaccounted } from '../../../../src/store/unaccounted.ts';
import { ALIVE, isSameOpenRefund } from './protections.ts';
import type { ObservationRow, RefundRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** The payment, while it is to be accounted for, and it, its attempt and its invoice are as they were read. */
function asRead(tables: Tables, { capture, own }: Unaccounted): ObservationRow | null {
  const { attempt: read } = capture;
  const [attempt] = tables.attempts.where(
    (row) =>
      row.merchant_uid === own.merchantUid &&
      row.invoice_id === own.invoiceId &&
      row.state === read.state &&
      row.imp_uid === read.impUid,
  );
  if (attempt === undefined || tables.invoices.get(own.invoiceId)?.state !== read.invoice) return null;
  return factsAsRead(tables, capture);
}

function factsAsRead(
  tables: Tables,
  { impUid, status, presence, cancelMinor, amount, customerUid, sandbox }: Capture,
): ObservationRow | null {
  const seen = tables.observations.get(impUid);
  const isAsRead =
    seen !== undefined &&
    seen.account_at !== null &&
    seen.status === status &&
    (seen.gone_at !== null) === (presence === 'gone') &&
    seen.cancel_amount === cancelMinor &&
    seen.amount === (amount?.minor ?? null) &&
    seen.currency === (amount?.currency ?? null) &&
    seen.customer_uid === customerUid &&
    seen.sandbox === sandbox;
  return isAsRead ? seen : null;
}

/** `accountAs` of `store/captures.ts` in memory. */
export function accountAs(tables: Tables, found: Unaccounted, as: 'settles' | 'returned' | 'wait' | 'broken'): void {
  const seen = asRead(tables, found);
  if (seen === null) return;
  tables.observations.put(seen.imp_uid, {
    ...seen,
    accounted_as: as === 'settles' || as === 'returned' ? as : null,
    account_at: as === 'wait' ? tables.nowMs + 2_000 : as === 'broken' ? tables.nowMs + 60_000 : null,
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
  found: Unaccounted,
  { reason, approval }: { readonly reason: string; readonly approval: 'approved' | 'proposed' },
): boolean {
  const { own } = found;
  const seen = asRead(tables, found);
  if (seen === null) return false;
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
