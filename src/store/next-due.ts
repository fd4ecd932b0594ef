import { Prisma } from './prisma/client.ts';

/**
 * When something is next charged, as an expression: the next period of any subscription, or the next retry. Look-ups of
 * charges on their way are no charges. May lie in the past until the scheduler has been there.
 */
export const NEXT_DUE = Prisma.sql`least(
  (SELECT min(next_due_at) FROM subscription
    WHERE next_due_at IS NOT NULL AND status IN ('trialing', 'active', 'past_due')),
  (SELECT i.next_at FROM invoice i
    WHERE i.state IN ('open', 'retrying') AND i.next_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id AND a.state IN ('sent', 'unknown'))
    ORDER BY i.next_at LIMIT 1))`;
