import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { Db } from '../../src/store/db.ts';

let serial = 0;

/** Stores a subscription with its customer and card. Answers its row id. */
export async function addSubscription(db: Db, externalId: string, fields: { status?: string; name?: string } = {}) {
  serial += 1;
  const customer = await db.customer.create({ data: { external_id: `cust-${externalId}` } });
  const key = await db.billing_key.create({ data: { customer_id: customer.id, customer_uid: `uid-${externalId}` } });
  const { id } = await db.subscription.create({
    data: {
      external_id: externalId,
      customer_id: customer.id,
      billing_key_id: key.id,
      name: fields.name ?? 'Monthly tea',
      amount: 9900,
      currency: 'KRW',
      interval: 'month',
      interval_count: 1,
      anchor_local: '2027-01-31T10:00:00',
      timezone: 'Asia/Seoul',
      status: fields.status ?? 'active',
      next_period: 1,
      next_due_at: new Date('2027-02-28T01:00:00Z'),
    },
  });
  return { id, billingKeyId: key.id };
}

type InvoiceFields = {
  readonly period?: string;
  readonly state?: string;
  readonly reason?: string;
  readonly nextAt?: string;
  readonly failures?: number;
};

/** Stores an invoice of the subscription for one month from the period's date. Answers its row id. */
export async function addInvoice(db: Db, subscriptionId: string, fields: InvoiceFields = {}): Promise<string> {
  const { period = '2027-01-31', state = 'paid' } = fields;
  await db.policy_version.upsert({
    where: { id: 'default-1' },
    create: { id: 'default-1', policy: { retryAfterDays: [1, 3, 5], minGapHours: 24 } },
    update: {},
  });
  const start = new Date(`${period}T01:00:00Z`);
  const end = new Date(start);
  end.setUTCDate(end.getUTCDate() + 28);
  const { id } = await db.invoice.create({
    data: {
      subscription_id: subscriptionId,
      period_key: period,
      period_index: 0,
      period_start: start,
      period_end: end,
      due_at: start,
      amount: 9900,
      currency: 'KRW',
      name: 'Monthly tea',
      state,
      reason: fields.reason ?? null,
      next_at: fields.nextAt === undefined ? null : new Date(fields.nextAt),
      failures: fields.failures ?? 0,
      policy_version_id: 'default-1',
      paid_at: state === 'paid' ? start : null,
    },
  });
  return id;
}

type AttemptFields = {
  readonly state?: string;
  readonly impUid?: string;
  readonly sentAt?: string;
  readonly answeredAt?: string;
  readonly declineClass?: string;
  readonly failReason?: string;
};

/** Stores an attempt; sent once if `sentAt` is given. Answers its row id. */
export async function addAttempt(
  db: Db,
  { invoiceId, billingKeyId, number }: { invoiceId: string; billingKeyId: string; number: number },
  fields: AttemptFields = {},
): Promise<string> {
  serial += 1;
  const sent = fields.sentAt === undefined ? null : new Date(fields.sentAt);
  const frozen = {
    amount: 9900,
    currency: 'KRW',
    tax_free: 0,
    name: 'Monthly tea',
    customer_uid: 'uid',
    send_count: 1,
  };
  const { id } = await db.attempt.create({
    data: {
      invoice_id: invoiceId,
      billing_key_id: billingKeyId,
      number,
      merchant_uid: `test${String(serial).padStart(26, '0')}0${number}`,
      state: fields.state ?? 'prepared',
      ...(sent === null ? {} : { ...frozen, first_sent_at: sent, sent_at: sent }),
      answered_at: fields.answeredAt === undefined ? null : new Date(fields.answeredAt),
      imp_uid: fields.impUid ?? null,
      decline_class: fields.declineClass ?? null,
      fail_reason: fields.failReason ?? null,
    },
  });
  return id;
}

/** An invoice of a subscription of its own, with one attempt. */
export async function addCase(db: Db, invoice: InvoiceFields, attempt: Parameters<typeof addAttempt>[2]) {
  cases += 1;
  const subscription = `sub-${cases}`;
  const { id, billingKeyId } = await addSubscription(db, subscription);
  const invoiceId = await addInvoice(db, id, invoice);
  const attemptId = await addAttempt(db, { invoiceId, billingKeyId, number: 1 }, attempt);
  return { subscription, invoiceId: parseInvoiceId(invoiceId), attemptId, billingKeyId };
}

let cases = 0;
