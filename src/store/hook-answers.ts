import type { Charged, HookDecision } from '../billing/before-charge.ts';
import type { BeforeCharge, BeforeChargeAnswer, PreviousOutcome } from '../billing/hook.ts';
import type { InvoiceId } from '../billing/ids.ts';
import type { Db } from './db.ts';
import type { LeasedAttempt } from './lease.ts';
import type { Prisma } from './prisma/client.ts';

/** An answer as it is kept: what the hook said, or what its failure came to, and how often running it has failed. */
export type KeptAnswer = Readonly<Record<string, unknown>> & {
  readonly kind: BeforeChargeAnswer['kind'];
  readonly until?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly failures?: number;
};

/** What a before-hook is told of an attempt, and what the hooks have said of it so far. */
export type BeforeFile = {
  readonly about: Omit<BeforeCharge, 'hook' | 'idempotencyKey' | 'dryRun' | 'channel'>;
  /** What it costs without any hook, in minor units. */
  readonly priceMinor: number;
  readonly deferredSeconds: number;
  readonly answers: ReadonlyMap<string, KeptAnswer>;
  /** Name of the channel that its subscription is charged through. */
  readonly channel: string;
};

/** Reads what is asked about. */
export async function readBefore(db: Db, attemptId: string, now: string): Promise<BeforeFile> {
  const attempt = await db.attempt.findUniqueOrThrow({ where: { id: attemptId }, include: AROUND });
  const { invoice } = attempt;
  return {
    priceMinor: Number(invoice.price ?? invoice.amount),
    deferredSeconds: invoice.deferred_seconds,
    channel: invoice.subscription.channel,
    answers: new Map(attempt.hook_answers.map(({ hook, answer }) => [hook, asKept(answer)])),
    about: {
      now,
      subscription: subscriptionOf(invoice.subscription),
      customer: customerOf(invoice.subscription),
      invoice: invoiceOf(invoice),
      attempt: { number: attempt.number, merchantUid: attempt.merchant_uid },
      previous: invoice.attempts.filter(({ number }) => number < attempt.number).map(outcomeOf),
    },
  };
}

/** The latest attempt of an invoice, as a hook would be told of it now; null where there is none. */
export async function readLatest(db: Db, invoiceId: InvoiceId): Promise<BeforeFile | null> {
  const [row] = await db.$queryRaw<{ id: string; now: string }[]>`
    SELECT id, to_char(maedal_now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS now
      FROM attempt WHERE invoice_id = ${invoiceId}::uuid ORDER BY number DESC LIMIT 1`;
  return row === undefined ? null : readBefore(db, row.id, row.now);
}

const AROUND = {
  hook_answers: true,
  invoice: {
    include: { attempts: { orderBy: { number: 'asc' } }, subscription: { include: { customer: true } } },
  },
} as const;
type Found = Prisma.attemptGetPayload<{ include: typeof AROUND }>['invoice'];

function subscriptionOf(found: Found['subscription']): BeforeCharge['subscription'] {
  return {
    id: found.external_id,
    plan: found.plan,
    name: found.name,
    amount: Number(found.amount),
    currency: found.currency,
    interval: asInterval(found.interval),
    intervalCount: found.interval_count,
    timezone: found.timezone,
  };
}

function customerOf({ customer }: Found['subscription']): BeforeCharge['customer'] {
  return { id: customer.external_id, name: customer.name, email: customer.email, tel: customer.tel };
}

function invoiceOf(found: Found): BeforeCharge['invoice'] {
  const amount = Number(found.amount);
  return {
    id: found.id,
    period: found.period_key,
    periodNumber: found.period_index + 1,
    periodStart: found.period_start.toISOString(),
    periodEnd: found.period_end.toISOString(),
    dueAt: found.due_at.toISOString(),
    amount,
    currency: found.currency,
    taxFree: Number(found.tax_free),
    vat: found.vat === null ? null : Number(found.vat),
    name: found.name,
    ceiling: amount,
  };
}

function outcomeOf(found: Found['attempts'][number]): PreviousOutcome {
  return {
    number: found.number,
    outcome: found.state,
    declineClass: found.decline_class,
    reason: found.fail_reason,
    sentAt: found.sent_at?.toISOString() ?? null,
    answeredAt: found.answered_at?.toISOString() ?? null,
  };
}

/**
 * Keeps what a hook said, and has the invoice stand as it follows, before anybody obeys it: one statement, within the
 * lease, which begins anew. An answer stands for its attempt; only what was put off is said again. Returns false when the
 * lease is lost, or somebody else's answer stands.
 */
export async function keepAnswer(
  db: Db,
  { id, fence }: Pick<LeasedAttempt, 'id' | 'fence'>,
  said: { readonly hook: string; readonly answer: KeptAnswer; readonly decision: HookDecision },
  leaseSeconds: number,
): Promise<boolean> {
  const { hook, answer, decision } = said;
  const charged: Charged | null = decision.kind === 'go' ? decision.charged : null;
  const seconds = decision.kind === 'deferred' ? decision.seconds : 0;
  const [row] = await db.$queryRaw<{ kept: number }[]>`
    WITH i AS MATERIALIZED (
      SELECT invoice.id FROM invoice JOIN attempt ON attempt.invoice_id = invoice.id
       WHERE attempt.id = ${id}::uuid AND invoice.state IN ('open', 'retrying') FOR NO KEY UPDATE OF invoice
    ), a AS (
      UPDATE attempt SET lease_until = maedal_now() + make_interval(secs => ${leaseSeconds}), updated_at = maedal_now() FROM i
       WHERE attempt.id = ${id}::uuid AND attempt.fence = ${fence} AND attempt.state = 'prepared' AND attempt.send_count = 0
         AND attempt.lease_until > maedal_now()
      RETURNING attempt.id, attempt.invoice_id, attempt.lease_until
    ), kept AS (
      INSERT INTO hook_answer (invoice_id, attempt_id, hook, kind, answer)
      SELECT a.invoice_id, a.id, ${hook}, ${answer.kind}, ${JSON.stringify(answer)}::jsonb FROM a
      ON CONFLICT (attempt_id, hook) WHERE attempt_id IS NOT NULL
      DO UPDATE SET kind = excluded.kind, answer = excluded.answer, created_at = maedal_now() WHERE hook_answer.kind = 'defer'
      RETURNING invoice_id
    ), changed AS (
      UPDATE invoice SET next_at = a.lease_until, deferred_seconds = deferred_seconds + ${seconds}, updated_at = maedal_now(),
             price = CASE WHEN amount <> ${charged?.amountMinor ?? null}::bigint THEN coalesce(price, amount) ELSE price END,
             amount = coalesce(${charged?.amountMinor ?? null}::bigint, amount), tax_free = coalesce(${charged?.taxFreeMinor ?? null}::bigint, tax_free),
             vat = CASE WHEN ${charged !== null} THEN ${charged?.vatMinor ?? null}::bigint ELSE vat END,
             name = coalesce(${charged?.name ?? null}, name),
             custom_data = coalesce(${charged?.customData == null ? null : JSON.stringify(charged.customData)}::jsonb, custom_data)
        FROM a JOIN kept ON kept.invoice_id = a.invoice_id WHERE invoice.id = a.invoice_id
    )
    SELECT count(*)::integer AS kept FROM kept`;
  return row?.kept === 1;
}

function asKept(answer: unknown): KeptAnswer {
  return answer as KeptAnswer; // written by keepAnswer alone
}

function asInterval(interval: string): BeforeCharge['subscription']['interval'] {
  return interval as BeforeCharge['subscription']['interval']; // a CHECK of the table
}
