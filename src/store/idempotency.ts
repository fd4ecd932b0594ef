import type { Db } from './db.ts';

/** An answer that was given once. */
export type Answer = { readonly status: number; readonly body: unknown };

/** What is known under a key: nobody else has it and the work is ours, it was answered, or it stands against the request. */
export type Claim =
  | { readonly kind: 'ours' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The same key came with another body. */
  | { readonly kind: 'mismatch' }
  /** The same request is being worked on. */
  | { readonly kind: 'busy' };

/** Takes a key for a request. Who took it and did not answer within a minute has died: the next one takes it over. */
export async function claimKey(db: Db, scope: string, key: string, bodyHash: string): Promise<Claim> {
  const claimed = await db.$executeRaw`
    INSERT INTO idempotency AS known (scope, key, body_hash) VALUES (${scope}, ${key}, ${bodyHash})
    ON CONFLICT (scope, key) DO UPDATE SET created_at = maedal_now()
     WHERE known.body_hash = excluded.body_hash AND known.status IS NULL AND known.created_at < maedal_now() - interval '1 minute'`;
  if (claimed === 1) return { kind: 'ours' };
  const row = await db.idempotency.findUniqueOrThrow({ where: { scope_key: { scope, key } } });
  if (row.body_hash !== bodyHash) return { kind: 'mismatch' };
  if (row.status === null) return { kind: 'busy' };
  return { kind: 'answered', answer: { status: row.status, body: row.answer } };
}

/** Keeps the answer, for whoever asks again under the same key. */
export async function keepAnswer(db: Db, scope: string, key: string, { status, body }: Answer): Promise<void> {
  await db.$executeRaw`
    UPDATE idempotency SET status = ${status}, answer = ${JSON.stringify(body)}::jsonb WHERE scope = ${scope} AND key = ${key}`;
}

/** Lets a key go whose work came to nothing, so that it may be tried again. */
export async function releaseKey(db: Db, scope: string, key: string): Promise<void> {
  await db.$executeRaw`DELETE FROM idempotency WHERE scope = ${scope} AND key = ${key} AND status IS NULL`;
}
