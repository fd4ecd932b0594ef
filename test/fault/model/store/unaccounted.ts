import { instant, instantOrNull } from '../../../../src/store/instant.ts';
import type { Unaccounted } from '../../../../src/store/unaccounted.ts';
import { keyOf, policyOf } from './leasing.ts';
import { merchantUidOf } from './merchant-uid.ts';
import { ALIVE } from './protections.ts';
import type { AttemptRow, ObservationRow } from './rows.ts';
import type { Tables } from './tables.ts';

/** `unaccountedCaptures` of `store/unaccounted.ts` in memory. */
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
      presence: seen.gone_at === null ? 'there' : 'gone',
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
  const others = tables.observations.where(
    (row) =>
      uids.has(row.merchant_uid) && row.imp_uid !== imp_uid && row.accounted_as === 'review' && row.gone_at === null,
  );
  return others.some(
    ({ status, amount, cancel_amount: back }) =>
      status === 'paid' || (status === 'cancelled' && (amount === null || back < amount)),
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
