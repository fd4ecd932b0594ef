import { Prisma } from './prisma/client.ts';

/** Whether a person has let an invoice go (retry, release, another card) and it was not tried since. */
export function isOrdered(invoice: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT FROM audit WHERE subject = ${invoice}.id::text AND action IN ('invoice.retried', 'invoice.released')
       AND at >= coalesce(${invoice}.last_attempt_at, at))`;
}
