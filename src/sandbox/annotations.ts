import { toMajor } from '../billing/money.ts';
import type { Card } from './cards.ts';
import type { Cancel, Key, Payment, Person, Schedule } from './entry.ts';
import { cancelledMinor, statusOf } from './standing.ts';

/** A payment as V1 shows it (`PaymentAnnotation`): every field of the schema, null or 0 where it does not apply. */
export function paymentAnnotation(payment: Payment, isSandbox: boolean): Record<string, unknown> {
  const { buyer, currency, impUid, minor, card } = payment;
  return {
    imp_uid: impUid,
    merchant_uid: payment.merchantUid,
    pay_method: 'card',
    channel: 'api',
    pg_provider: payment.pgProvider,
    emb_pg_provider: null,
    pg_tid: payment.pgTid,
    pg_id: payment.pgId,
    sandbox: isSandbox,
    escrow: false,
    apply_num: payment.applyNum,
    bank_code: null,
    bank_name: null,
    ...cardAnnotation(card),
    card_quota: payment.cardQuota,
    ...NO_VIRTUAL_ACCOUNT,
    ...cancelFields(payment),
    name: payment.name,
    amount: toMajor({ minor, currency }),
    currency,
    ...personFields('buyer', buyer),
    custom_data: payment.customData,
    user_agent: payment.userAgent,
    status: statusOf(payment),
    started_at: seconds(payment.startedAtMs),
    paid_at: seconds(payment.paidAtMs),
    failed_at: seconds(payment.failedAtMs),
    fail_reason: payment.failReason,
    receipt_url: payment.paidAtMs === null ? null : receiptUrl(payment.pgTid),
    deposit_history: [],
    cash_receipt_issued: false,
    customer_uid: payment.customerUid,
    customer_uid_usage: payment.usage,
    promotion: null,
  };
}

/** A stored key as V1 shows it (`CustomerAnnotation`). */
export function customerAnnotation(key: Key, isSandbox: boolean): Record<string, unknown> {
  return {
    customer_uid: key.customerUid,
    pg_provider: key.pgProvider,
    pg_id: key.pgId,
    sandbox: isSandbox,
    customer_id: key.customerId,
    ...cardAnnotation(key.card),
    ...personFields('customer', key.customer),
    inserted: key.inserted,
    updated: key.updated,
  };
}

/** A key issued over a routing group as V1 shows it (`SuperBillingKeyAnnotation`). */
export function superKeyAnnotation(key: Key): Record<string, unknown> {
  const { pgProvider, pgId, inserted, updated, card } = key;
  return {
    customer_uid: key.customerUid,
    channelGroupId: key.channelGroupId,
    customer_id: key.customerId,
    ...personFields('customer', key.customer),
    succeededChannels: [{ pg_provider: pgProvider, pg_id: pgId, ...cardAnnotation(card), inserted, updated }],
    failedChannels: [],
  };
}

/** A schedule as V1 shows it (`ScheduleResultAnnotation`); `payment` is what came of it. */
export function scheduleAnnotation(schedule: Schedule, payment: Payment | undefined): Record<string, unknown> {
  const { minor, currency } = schedule;
  const status = payment === undefined ? null : statusOf(payment);
  const isUndecided = status === 'ready' || (status === null && schedule.failReason === null);
  return {
    customer_uid: schedule.customerUid,
    merchant_uid: schedule.merchantUid,
    imp_uid: schedule.impUid,
    pg_provider: schedule.pgProvider,
    pg_id: schedule.pgId,
    customer_id: schedule.customerId,
    schedule_at: seconds(schedule.scheduleAtMs),
    executed_at: seconds(schedule.executedAtMs),
    revoked_at: seconds(schedule.revokedAtMs),
    amount: toMajor({ minor, currency }),
    currency,
    name: schedule.name,
    ...personFields('buyer', schedule.buyer),
    custom_data: schedule.customData,
    schedule_status: schedule.status,
    payment_status: isUndecided ? null : (status ?? 'failed'),
    fail_reason: payment?.failReason ?? schedule.failReason,
    promotion_id: null,
  };
}

function cardAnnotation(card: Card): Record<string, unknown> {
  return {
    card_code: '361',
    card_name: 'BC카드',
    card_issuer_code: '361',
    card_issuer_name: 'BC카드',
    card_publisher_code: '361',
    card_publisher_name: 'BC카드',
    card_number: card.masked,
    card_type: 0,
  };
}

function personFields(prefix: 'buyer' | 'customer', person: Person): Record<string, unknown> {
  return {
    [`${prefix}_name`]: person.name,
    [`${prefix}_tel`]: person.tel,
    [`${prefix}_email`]: person.email,
    [`${prefix}_addr`]: person.addr,
    [`${prefix}_postcode`]: person.postcode,
  };
}

function cancelFields(payment: Payment): Record<string, unknown> {
  const { cancels, currency } = payment;
  const last = cancels.at(-1);
  return {
    cancel_amount: toMajor({ minor: cancelledMinor(payment), currency }),
    cancelled_at: seconds(last?.atMs ?? null),
    cancel_reason: last?.reason ?? null,
    cancel_history: cancels.map((cancel) => cancelAnnotation(cancel, currency)),
    cancel_receipt_urls: cancels.map((cancel) => receiptUrl(cancel.pgTid)),
  };
}

function cancelAnnotation(cancel: Cancel, currency: string): Record<string, unknown> {
  return {
    pg_tid: cancel.pgTid,
    amount: toMajor({ minor: cancel.minor, currency }),
    cancelled_at: seconds(cancel.atMs),
    reason: cancel.reason,
    cancellation_id: cancel.cancellationId,
    receipt_url: receiptUrl(cancel.pgTid),
  };
}

/** An address that can lead nowhere (RFC 2606): there is no receipt. */
function receiptUrl(pgTid: string): string {
  return `https://sandbox.invalid/receipts/${pgTid}`;
}

function seconds(ms: number | null): number {
  return ms === null ? 0 : Math.floor(ms / 1_000);
}

const NO_VIRTUAL_ACCOUNT = {
  vbank_code: null,
  vbank_name: null,
  vbank_num: null,
  vbank_holder: null,
  vbank_date: 0,
  vbank_issued_at: 0,
};
