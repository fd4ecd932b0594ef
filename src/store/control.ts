import type { Db } from './db.ts';

/**
 * Stops the sending: from the next intent on nothing leaves (the switch is read inside that statement). Returns false
 * when it was stopped before; then the reason of that time stands.
 */
export async function stopSending(db: Db, { actor, reason }: Said): Promise<boolean> {
  const [row] = await db.$queryRaw<{ stopped: number }[]>`
    WITH stopped AS (
      UPDATE control SET sending_enabled = false, sending_reason = ${reason}, sending_changed_by = ${actor}, updated_at = maedal_now()
       WHERE sending_enabled RETURNING id
    ), written AS (
      INSERT INTO audit (actor, action, reason) SELECT ${actor}, 'sending.off', ${reason} FROM stopped
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.stopped', jsonb_build_object('reason', ${reason}::text, 'by', ${actor}::text), maedal_now() FROM stopped
    )
    SELECT count(*)::integer AS stopped FROM stopped`;
  return row?.stopped === 1;
}

/** Who did something, and why. */
export type Said = { readonly actor: string; readonly reason: string };
