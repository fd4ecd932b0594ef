import { readSending, type Sending } from './control.ts';
import type { Db } from './db.ts';
import { NEXT_DUE } from './next-due.ts';
import { all, createdUs, type Page, type Place, page, placeIn, type Slice } from './page.ts';
import { Prisma } from './prisma/client.ts';

export type SubscriptionView = {
  readonly externalId: string;
  readonly customerId: string;
  readonly plan: string | null;
  readonly name: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly interval: string;
  readonly intervalCount: number;
  readonly anchorLocal: string;
  readonly timezone: string;
  readonly status: string;
  readonly access: string;
  readonly nextDueAt: Date | null;
  readonly trialUntil: Date | null;
  readonly endsAfter: number | null;
  readonly cancelsAtPeriodEnd: boolean;
  readonly canceledAt: Date | null;
  readonly pausedAt: Date | null;
  readonly customerUid: string;
  readonly channel: string;
  readonly createdAt: Date;
};

type AttemptView = {
  readonly number: number;
  readonly merchantUid: string;
  readonly state: string;
  readonly impUid: string | null;
  readonly declineClass: string | null;
  readonly failReason: string | null;
  readonly sentAt: Date | null;
  readonly answeredAt: Date | null;
};

export type InvoiceView = {
  readonly id: string;
  /** The merchant's own id. */
  readonly subscriptionId: string;
  readonly periodKey: string;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly state: string;
  readonly reason: string | null;
  readonly nextAt: Date | null;
  readonly attempts: readonly AttemptView[];
};

/** All conditions must hold; an absent one holds for every row. Ids are the merchant's own. */
export type SubscriptionFilter = {
  readonly statuses?: readonly string[] | undefined;
  readonly customerId?: string | undefined;
};
/** All conditions must hold; an absent one holds for every row. Period bounds are inclusive period keys. */
export type InvoiceFilter = {
  readonly states?: readonly string[] | undefined;
  readonly subscriptionId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly period?: string | undefined;
  readonly periodFrom?: string | undefined;
  readonly periodTo?: string | undefined;
};

/** Subscriptions, newest first. Rows added while someone turns pages do not move the pages that follow. */
export async function listSubscriptions(
  db: Db,
  filter: SubscriptionFilter,
  slice: Slice,
): Promise<Page<SubscriptionView>> {
  const where = all([
    filter.statuses && Prisma.sql`s.status = ANY(${filter.statuses})`,
    filter.customerId !== undefined && Prisma.sql`c.external_id = ${filter.customerId}`,
    slice.after && Prisma.sql`(s.created_at, s.id) < ${placeIn(slice.after, 'uuid')}`,
  ]);
  const rows = await db.$queryRaw<(SubscriptionView & Place)[]>`
    SELECT ${SUBSCRIPTION}, s.id, ${createdUs(Prisma.sql`s.created_at`)}
      FROM subscription s JOIN customer c ON c.id = s.customer_id JOIN billing_key k ON k.id = s.billing_key_id
     WHERE ${where} ORDER BY s.created_at DESC, s.id DESC LIMIT ${slice.limit + 1}`;
  return page(rows, slice.limit);
}

/** A subscription by the merchant's own id. */
export async function findSubscription(db: Db, externalId: string): Promise<SubscriptionView | null> {
  const [row] = await db.$queryRaw<SubscriptionView[]>`
    SELECT ${SUBSCRIPTION}
      FROM subscription s JOIN customer c ON c.id = s.customer_id JOIN billing_key k ON k.id = s.billing_key_id
     WHERE s.external_id = ${externalId}`;
  return row ?? null;
}

/** Invoices with their attempts, newest first: two statements for a page of any size. */
export async function listInvoices(db: Db, filter: InvoiceFilter, slice: Slice): Promise<Page<InvoiceView>> {
  const where = all([
    filter.states && Prisma.sql`i.state = ANY(${filter.states})`,
    filter.subscriptionId !== undefined && Prisma.sql`s.external_id = ${filter.subscriptionId}`,
    filter.customerId !== undefined &&
      Prisma.sql`s.customer_id = (SELECT id FROM customer WHERE external_id = ${filter.customerId})`,
    filter.period !== undefined && Prisma.sql`i.period_key = ${filter.period}`,
    filter.periodFrom !== undefined && Prisma.sql`i.period_key >= ${filter.periodFrom}`,
    filter.periodTo !== undefined && Prisma.sql`i.period_key <= ${filter.periodTo}`,
    slice.after && Prisma.sql`(i.created_at, i.id) < ${placeIn(slice.after, 'uuid')}`,
  ]);
  const rows = await db.$queryRaw<(InvoiceRow & Place)[]>`
    SELECT ${INVOICE}, ${createdUs(Prisma.sql`i.created_at`)}
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id
     WHERE ${where} ORDER BY i.created_at DESC, i.id DESC LIMIT ${slice.limit + 1}`;
  const { rows: kept, next } = page(rows, slice.limit);
  return { rows: await withAttempts(db, kept), next };
}

/** An invoice with its attempts, by its row id (a UUID). */
export async function findInvoice(db: Db, id: string): Promise<InvoiceView | null> {
  const rows = await db.$queryRaw<InvoiceRow[]>`
    SELECT ${INVOICE} FROM invoice i JOIN subscription s ON s.id = i.subscription_id WHERE i.id = ${id}::uuid`;
  const [invoice] = await withAttempts(db, rows);
  return invoice ?? null;
}

export type Overview = {
  readonly counts: readonly { readonly state: string; readonly count: number }[];
  /** Whether charges may leave, and what stops them. */
  readonly sending: Sending;
  /** When something is next charged, retries included; null when nothing is due any more. */
  readonly nextAt: Date | null;
  readonly now: Date;
};

/** Where the installation stands, on one screen. */
export async function readOverview(db: Db): Promise<Overview> {
  const counts = await db.$queryRaw<Overview['counts'][number][]>`
    SELECT state, count(*)::float8 AS count FROM invoice GROUP BY state ORDER BY state`;
  const [next] = await db.$queryRaw<{ nextAt: Date | null; now: Date }[]>`
    SELECT maedal_now() AS now, ${NEXT_DUE} AS "nextAt"`;
  if (next === undefined) throw new Error('the database did not tell the time');
  return { counts, sending: await readSending(db), ...next };
}

type InvoiceRow = Omit<InvoiceView, 'attempts'>;

async function withAttempts<Row extends InvoiceRow>(db: Db, invoices: readonly Row[]): Promise<InvoiceView[]> {
  if (invoices.length === 0) return [];
  const attempts = await db.$queryRaw<(AttemptView & { invoiceId: string })[]>`
    SELECT invoice_id AS "invoiceId", number, merchant_uid AS "merchantUid", state, imp_uid AS "impUid",
           decline_class AS "declineClass", fail_reason AS "failReason", sent_at AS "sentAt", answered_at AS "answeredAt"
      FROM attempt WHERE invoice_id = ANY(${invoices.map((invoice) => invoice.id)}::uuid[])
     ORDER BY invoice_id, number`;
  const byInvoice = new Map<string, AttemptView[]>(invoices.map(({ id }) => [id, []]));
  for (const { invoiceId, ...attempt } of attempts) byInvoice.get(invoiceId)?.push(attempt);
  return invoices.map((invoice) => ({ ...invoice, attempts: byInvoice.get(invoice.id) ?? [] }));
}

const SUBSCRIPTION = Prisma.sql`
  s.external_id AS "externalId", c.external_id AS "customerId", s.plan, s.name, s.amount::float8 AS amount, s.currency, s."interval",
  s.interval_count AS "intervalCount", s.anchor_local AS "anchorLocal", s.timezone, s.status, s.access,
  s.next_due_at AS "nextDueAt", s.trial_until AS "trialUntil", s.ends_after AS "endsAfter",
  s.cancel_at IS NOT NULL AS "cancelsAtPeriodEnd", s.canceled_at AS "canceledAt", s.paused_at AS "pausedAt",
  k.customer_uid AS "customerUid", s.channel, s.created_at AS "createdAt"`;

const INVOICE = Prisma.sql`
  i.id, s.external_id AS "subscriptionId", i.period_key AS "periodKey", i.period_start AS "periodStart",
  i.period_end AS "periodEnd", i.amount::float8 AS amount, i.currency, i.state, i.reason, i.next_at AS "nextAt"`;
