import type { BillingKeyAnswer, PaymentRecord } from '../../../../src/billing/charge.ts';
import type { Canary } from '../../../../src/store/sends.ts';
import { keyOf } from './leasing.ts';
import type { ObservationRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** From the least telling to the most. */
const RANK = ['other', 'ready', 'failed', 'paid', 'cancelled'];

/** `store/observations.ts` in memory: facts are merged and never fenced. */
export function observe(tables: Tables, records: readonly PaymentRecord[], learntBy: string): void {
  for (const record of records) {
    const seen = asSeen(tables, record, learntBy);
    const known = tables.observations.get(record.impUid);
    tables.observations.put(record.impUid, known === undefined ? seen : merged(tables, known, seen));
  }
}

function asSeen(tables: Tables, record: PaymentRecord, learntBy: string): ObservationRow {
  const [attempt] = tables.attempts.where(({ merchant_uid }) => merchant_uid === record.merchantUid);
  const { nowMs } = tables;
  return {
    imp_uid: record.impUid,
    merchant_uid: record.merchantUid,
    attempt_id: attempt?.id ?? null,
    status: record.status,
    amount: record.amount?.minor ?? null,
    currency: record.amount?.currency ?? null,
    cancel_amount: record.cancelMinor,
    customer_uid: record.customerUid,
    sandbox: record.sandbox,
    fail_reason: record.decline?.reason ?? null,
    started_at: record.startedAtMs,
    paid_at: record.paidAtMs,
    failed_at: record.failedAtMs,
    learnt_by: learntBy,
    first_seen_at: nowMs,
    last_seen_at: nowMs,
    account_at: isMoney(record.status) ? nowMs : null,
    accounted_as: null,
    gone_at: null,
  };
}

function merged({ nowMs }: Tables, known: ObservationRow, seen: ObservationRow): ObservationRow {
  const isGone = seen.status === 'cancelled' && known.amount !== null && seen.cancel_amount >= known.amount;
  const isNews =
    (seen.status === 'paid' && !isMoney(known.status)) ||
    (isMoney(seen.status) && known.gone_at !== null) ||
    (seen.learnt_by === 'audit' && isGone && known.accounted_as === 'settles') ||
    (seen.status === 'cancelled' && (seen.cancel_amount > known.cancel_amount || known.status !== 'cancelled'));
  return {
    ...known,
    status: RANK.indexOf(seen.status) >= RANK.indexOf(known.status) ? seen.status : known.status,
    cancel_amount: Math.max(known.cancel_amount, seen.cancel_amount),
    fail_reason: seen.fail_reason ?? known.fail_reason,
    paid_at: known.paid_at ?? seen.paid_at,
    failed_at: known.failed_at ?? seen.failed_at,
    gone_at: isMoney(seen.status) ? null : known.gone_at,
    account_at: isNews ? nowMs : known.account_at,
    last_seen_at: nowMs,
  };
}

/** `markGone` in memory, of every payment under an id. */
export function markGone(tables: Tables, merchantUid: string): void {
  const { nowMs } = tables;
  const [attempt] = tables.attempts.where(({ merchant_uid }) => merchant_uid === merchantUid);
  const taken = tables.observations.where(
    (row) => row.merchant_uid === merchantUid && isMoney(row.status) && row.gone_at === null,
  );
  if (attempt !== undefined && taken.length > 0) {
    const invoice = tables.invoices.at(attempt.invoice_id);
    tables.invoices.put(invoice.id, { ...invoice, watch_at: invoice.watch_at ?? nowMs + LOOK_AGAIN_MS });
  }
  for (const seen of taken) tables.observations.put(seen.imp_uid, { ...seen, gone_at: nowMs, account_at: nowMs });
}

const LOOK_AGAIN_MS = 3_600_000;

function isMoney(status: ObservationRow['status']): boolean {
  return status === 'paid' || status === 'cancelled';
}

/** `rememberBillingKey` in memory. */
export function rememberBillingKey(
  tables: Tables,
  { id }: { readonly id: string },
  facts: Extract<BillingKeyAnswer, { kind: 'found' }>,
): void {
  if (!tables.billingKeys.has(id)) return;
  tables.billingKeys.set(id, { ...keyOf(tables, id), sandbox: facts.sandbox, verified_at: tables.nowMs });
}

/** `canaries` of `store/sends.ts` in memory. */
export function canaries(tables: Tables, otherThan: string): Canary[] {
  const paid = tables.observations.where(
    (seen) => seen.status === 'paid' && seen.gone_at === null && seen.merchant_uid !== otherThan,
  );
  const counts = new Set(tables.attempts.where(({ imp_uid }) => imp_uid !== null).map(nameOfPayment));
  const rank = (seen: ObservationRow) => (counts.has(nameOfPayment(seen)) ? 0 : 1);
  const ranked = paid.sort(
    (one, other) =>
      rank(one) - rank(other) || other.last_seen_at - one.last_seen_at || one.imp_uid.localeCompare(other.imp_uid),
  );
  return ranked.slice(0, 3).map(({ merchant_uid, imp_uid }) => ({ merchantUid: merchant_uid, impUid: imp_uid }));
}

function nameOfPayment({ merchant_uid, imp_uid }: { readonly merchant_uid: string; readonly imp_uid: string | null }) {
  return `${merchant_uid} ${imp_uid}`;
}

/** `recentSends` in memory. */
export function recentSends(tables: Tables, count: number): { readonly sends: number; readonly unknown: number } {
  const sent = tables.attempts.where(({ sent_at, state }) => sent_at !== null && state !== 'sent');
  const last = sent.sort((one, other) => (other.sent_at ?? 0) - (one.sent_at ?? 0)).slice(0, count);
  return { sends: last.length, unknown: last.filter(({ state }) => state === 'unknown').length };
}
