import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';

/** An answer that was given once. */
export type Answer = { readonly status: number; readonly body: unknown };

/** A key as a request has it. The scope is what it is sent to. */
export type Key = { readonly scope: string; readonly key: string; readonly bodyHash: string };

/** What is known under a key: nobody else has it and the work is ours, it was answered, or it stands against the request. */
export type Claim =
  | { readonly kind: 'ours' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The same key came with another body. */
  | { readonly kind: 'mismatch' }
  /** The same request is being worked on. */
  | { readonly kind: 'busy' };

/**
 * Takes a key for a request. Who took it and did not answer within a minute has died, or is slow: the next one takes it
 * over, and the work is done by the one whose statement comes first (`onceUnder`). Once that is known to be done, the next
 * one takes it over at once, for what is left is no more than once either.
 */
export async function claimKey(db: Db, { scope, key, bodyHash }: Key): Promise<Claim> {
  const claimed = await db.$executeRaw`
    INSERT INTO idempotency AS known (scope, key, body_hash) VALUES (${scope}, ${key}, ${bodyHash})
    ON CONFLICT (scope, key) DO UPDATE SET created_at = maedal_now()
     WHERE known.body_hash = excluded.body_hash AND known.status IS NULL
       AND (known.done_at IS NOT NULL OR known.created_at < maedal_now() - interval '1 minute')`;
  if (claimed === 1) return { kind: 'ours' };
  const row = await db.idempotency.findUniqueOrThrow({ where: { scope_key: { scope, key } } });
  if (row.body_hash !== bodyHash) return { kind: 'mismatch' };
  if (row.status === null) return { kind: 'busy' };
  return { kind: 'answered', answer: { status: row.status, body: row.answer } };
}

/**
 * As a part of the statement that does the work under a key: marks it as done, once there is a row of `ours`, where what
 * is to be changed is locked. No row comes of it where the work was done or answered by another; without a key, one does.
 */
export function onceUnder(under: Key | undefined, ours: Prisma.Sql): Prisma.Sql {
  if (under === undefined) return Prisma.sql`SELECT true AS mine FROM ${ours}`;
  return Prisma.sql`
      UPDATE idempotency SET done_at = maedal_now() FROM ${ours}
       WHERE ${isOf(under)} AND idempotency.done_at IS NULL AND idempotency.status IS NULL RETURNING true AS mine`;
}

/**
 * When the work under a key was done, or answered, whoever did it; null while it is to be done, and without a key. To be
 * asked after what the work changes was read: what was read as done is then known to be.
 */
export async function doneUnder(db: Db, under: Key | undefined): Promise<Date | null> {
  if (under === undefined) return null;
  const [row] = await db.$queryRaw<{ at: Date }[]>`
    SELECT coalesce(done_at, created_at) AS at FROM idempotency
     WHERE ${isOf(under)} AND (done_at IS NOT NULL OR status IS NOT NULL)`;
  return row?.at ?? null;
}

/** Keeps the answer for whoever asks again under the same key, and returns it: the first one, where there are two. */
export async function keepAnswer(db: Db, under: Key, answer: Answer): Promise<Answer> {
  const [kept] = await db.$queryRaw<Answer[]>`
    UPDATE idempotency SET status = coalesce(status, ${answer.status}),
           answer = CASE WHEN status IS NULL THEN ${JSON.stringify(answer.body)}::jsonb ELSE answer END
     WHERE ${isOf(under)} RETURNING status, answer AS body`;
  return kept ?? answer;
}

/** Lets a key go whose work came to nothing, so that it may be tried again. */
export async function releaseKey(db: Db, under: Key): Promise<void> {
  await db.$executeRaw`DELETE FROM idempotency WHERE ${isOf(under)} AND status IS NULL AND done_at IS NULL`;
}

function isOf({ scope, key, bodyHash }: Key): Prisma.Sql {
  return Prisma.sql`idempotency.scope = ${scope} AND idempotency.key = ${key} AND idempotency.body_hash = ${bodyHash}`;
}
