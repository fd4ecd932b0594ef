import type { DateTime } from 'luxon';
import { merchantUid } from '../billing/ids.ts';
import { asError } from '../events.ts';
import { databaseNow, expireSends, prepareRetries, type RetryDue, retriesDue, ring } from '../store/due.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';

/**
 * Rings for everything due: first tries, retries, look-ups, and what was rung and never taken. What was sent and never
 * recorded becomes `unknown` first. Reads the database and not the queue, so a queue that lost everything loses nothing.
 */
export async function sweep(
  deps: SchedulerDeps,
  until?: DateTime,
): Promise<{ readonly expired: number; readonly rung: number }> {
  const expired = await expireSends(deps.db, BATCH);
  const by = until ?? (await databaseNow(deps.db));
  await prepareDueRetries(deps, by);
  const rung = await ringAll(deps, by);
  if (expired + rung > 0) deps.report({ kind: 'sweep.finished', expired, rung });
  return { expired, rung };
}

async function prepareDueRetries(deps: SchedulerDeps, until: DateTime): Promise<void> {
  for (;;) {
    const due = await retriesDue(deps.db, BATCH, until);
    const prepared = await prepareRetries(
      deps.db,
      due.flatMap((retry) => named(deps, retry)),
    );
    if (due.length < BATCH || prepared === 0) return;
  }
}

/** One that cannot be named stays due and is told of; it never stops the others. */
function named({ hmac, installation, report }: SchedulerDeps, retry: RetryDue): (RetryDue & { merchantUid: string })[] {
  const { subscription, periodKey, attemptNumber } = retry;
  try {
    return [{ ...retry, merchantUid: merchantUid(hmac, installation, subscription, periodKey, attemptNumber) }];
  } catch (error) {
    report({ kind: 'subscription.broken', subscription, error: asError(error) });
    return [];
  }
}

async function ringAll(deps: SchedulerDeps, until: DateTime): Promise<number> {
  let rung = 0;
  for (;;) {
    const rings = await ring(deps.db, BATCH, deps.reRingSeconds, until);
    await deps.ring(rings);
    rung += rings.length;
    if (rings.length < BATCH) return rung;
  }
}
