import type { DateTime } from 'luxon';
import { merchantUid } from '../billing/ids.ts';
import { asError } from '../events.ts';
import { databaseIsAway } from '../store/away.ts';
import type { RetryDue } from '../store/due.ts';
import { ALL_OF_A_SWEEP, type SweepPart } from '../store/due-work.ts';
import { accountCaptures } from './account-captures.ts';
import { apart } from './apart.ts';
import { decideOnAwaited } from './awaited-cards.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';
import { tryGivenCards } from './given-cards.ts';
import { settleLeftBehind } from './left-behind.ts';
import { look } from './look.ts';

/** `until` leaves alone what falls due later. `settles` has invoices follow their subscriptions first, as a tick does. */
type SweepOrder = { readonly until?: DateTime | undefined; readonly settles?: boolean };

/**
 * Rings for everything due: first tries, retries, look-ups, and what was rung and never taken. What was sent and never
 * recorded becomes `unknown` first. Reads the database and not the queue, so a queue that lost everything loses nothing.
 */
export async function sweep(
  deps: SchedulerDeps,
  { until, settles = false }: SweepOrder = {},
): Promise<{ readonly expired: number; readonly rung: number }> {
  const due = await look(
    deps,
    () => deps.store.dueInSweep(settles),
    async () => ALL_OF_A_SWEEP,
  );
  // What one part does is for those that come after it: from the first that has something to do on, all of them go.
  let goes = false;
  const isDue = (part: SweepPart) => {
    goes = goes || due[part];
    return goes;
  };
  const total = { expired: 0, rung: 0 };
  if (settles && isDue('leftBehind')) await settleLeftBehind(deps);
  if (isDue('expired')) total.expired = await expire(deps);
  if (isDue('captures')) await accountCaptures(deps);
  if (isDue('givenCards')) await unlessRefused(deps, 'given cards', () => tryGivenCards(deps));
  if (isDue('awaited')) await decideOnAwaited(deps);
  if (isDue('steps')) await unlessRefused(deps, 'steps', () => enterSteps(deps));
  if (isDue('retries')) await prepareDueRetries(deps, until ?? null);
  if (isDue('rings')) total.rung = await ringAll(deps, until ?? null);
  if (total.expired + total.rung > 0) deps.report({ kind: 'sweep.finished', ...total });
  return total;
}

async function expire(deps: SchedulerDeps): Promise<number> {
  const expired = await deps.store.expireSends(BATCH);
  if (expired > 0) await deps.failpoints.at('sends.expired');
  return expired;
}

/** Where the database refuses it, charges go on all the same. */
async function unlessRefused({ report }: SchedulerDeps, where: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (databaseIsAway(error)) throw error;
    report({ kind: 'work.failed', where, error: asError(error) });
  }
}

/** Until none is due: of a subscription's invoices one is moved at a time. */
async function enterSteps({ store }: SchedulerDeps): Promise<void> {
  while ((await store.enterSteps(BATCH)) > 0);
}

async function prepareDueRetries(deps: SchedulerDeps, until: DateTime | null): Promise<void> {
  for (;;) {
    const due = await deps.store.retriesDue(BATCH, until);
    const prepared = await prepareBatch(
      deps,
      due.flatMap((retry) => named(deps, retry)),
    );
    if (prepared > 0) await deps.failpoints.at('retries.prepared');
    if (due.length < BATCH || prepared === 0) return;
  }
}

/** One bad row never stops the batch: where the batch is refused, each row goes alone. */
async function prepareBatch(deps: SchedulerDeps, retries: readonly Named[]): Promise<number> {
  let prepared = 0;
  try {
    return await deps.store.prepareRetries(retries);
  } catch (error) {
    if (databaseIsAway(error)) throw error;
    for (const one of retries) {
      await apart(deps, one.subscription, async () => {
        prepared += await deps.store.prepareRetries([one]);
      });
    }
    return prepared;
  }
}

type Named = RetryDue & { readonly merchantUid: string };

/** One that cannot be named stays due and is told of; it never stops the others. */
function named({ hmac, installation, report }: SchedulerDeps, retry: RetryDue): Named[] {
  const { subscription, periodKey, attemptNumber } = retry;
  try {
    return [{ ...retry, merchantUid: merchantUid(hmac, installation, subscription, periodKey, attemptNumber) }];
  } catch (error) {
    report({ kind: 'subscription.broken', subscription, error: asError(error) });
    return [];
  }
}

async function ringAll(deps: SchedulerDeps, until: DateTime | null): Promise<number> {
  let room = (await deps.room?.()) ?? Number.POSITIVE_INFINITY;
  let rung = 0;
  while (room > 0) {
    const limit = Math.min(BATCH, room);
    const rings = await deps.store.ring(limit, deps.reRingSeconds, until);
    if (rings.length > 0) await deps.failpoints.at('ring.marked');
    await deps.ring(rings);
    if (rings.length > 0) await deps.failpoints.at('ring.added');
    rung += rings.length;
    room -= rings.length;
    if (rings.length < limit) break;
  }
  return rung;
}
