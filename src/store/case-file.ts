import { type InvoiceId, parseInvoiceId, UUID } from '../billing/ids.ts';
import type { Db } from './db.ts';
import { policyOfVersion } from './policy-versions.ts';
import type { invoice as Invoice } from './prisma/client.ts';

/** Everything that was written down about one invoice. */
export type CaseFile = NonNullable<Awaited<ReturnType<typeof readCaseFile>>>;

/** The invoice that a person means: by its id, the `merchant_uid` of a charge, or the `imp_uid` of a payment. Null for none. */
export async function findInvoice(db: Db, named: string): Promise<InvoiceId | null> {
  if (UUID.test(named)) return parseInvoiceId(named);
  const [row] = await db.$queryRaw<{ id: string }[]>`
    SELECT invoice_id::text AS id FROM attempt WHERE merchant_uid = ${named}
     UNION ALL SELECT invoice_id::text FROM attempt JOIN observation USING (merchant_uid) WHERE observation.imp_uid = ${named} LIMIT 1`;
  return row === undefined ? null : parseInvoiceId(row.id);
}

/** Reads all of it, or null when there is no such invoice. Not one snapshot: a charge may go on meanwhile. */
export async function readCaseFile(db: Db, id: InvoiceId) {
  const invoice = await db.invoice.findUnique({
    where: { id },
    include: {
      subscription: true,
      attempts: { orderBy: { number: 'asc' }, include: { billing_key: true } },
      hook_answers: { orderBy: { created_at: 'asc' } },
      refunds: { orderBy: { created_at: 'asc' } },
    },
  });
  if (invoice === null) return null;
  const entities = [
    id,
    ...invoice.attempts.map((attempt) => attempt.id),
    ...invoice.refunds.map((refund) => refund.id),
  ];
  const history = await db.history.findMany({ where: { entity_id: { in: entities } }, orderBy: { id: 'asc' } });
  const observations = await db.observation.findMany({
    where: { merchant_uid: { in: invoice.attempts.map((attempt) => attempt.merchant_uid) } },
    orderBy: [{ first_seen_at: 'asc' }, { imp_uid: 'asc' }],
  });
  const deeds = await readDeeds(db, invoice, history.at(-1)?.at ?? invoice.created_at);
  const control = await db.control.findUniqueOrThrow({ where: { id: 1 } });
  const policy = await policyOfVersion(db, invoice.policy_version_id);
  return { invoice, policy, history, observations, deeds, control, now: await readNow(db) };
}

/** What people did to it, and to its subscription and all charges meanwhile: the newest hundred, oldest first. */
async function readDeeds(
  db: Db,
  {
    id,
    subscription_id,
    created_at: since,
    next_at: next,
  }: Pick<Invoice, 'id' | 'subscription_id' | 'created_at' | 'next_at'>,
  last: Date,
) {
  const meanwhile = { action: { in: [...FOR_ALL] }, at: next === null ? { gte: since, lte: last } : { gte: since } };
  const where = { OR: [{ subject: id }, { subject: subscription_id, at: { gte: since } }, meanwhile] };
  return (await db.audit.findMany({ where, orderBy: { id: 'desc' }, take: 100 })).reverse();
}

const FOR_ALL = ['sending.off', 'sending.on', 'database.adopted'];

/** The database's clock, which decides everything about money. */
async function readNow(db: Db): Promise<Date> {
  const rows = await db.$queryRaw<[{ now: Date }]>`SELECT maedal_now() AS now`;
  return rows[0].now;
}
