import { FenceError, InputError } from '../billing/errors.ts';
import { didYouMean } from '../nearest-name.ts';
import type { Db } from '../store/db.ts';
import { disabledEndpoints } from '../store/endpoints.ts';
import { type EventFilter, listEvents } from '../store/events.ts';
import type { Listener } from '../store/outbox.ts';
import type { Place } from '../store/page.ts';
import { countReplay, noteReplay, type Replay, type Replayed, replay } from '../store/replay.ts';
import { isoInstant } from './instant.ts';

export type ReplayDeps = {
  readonly db: Db;
  readonly fingerprint: string;
  /** Everybody who is told of events, hooks (`hook:…`) among them. */
  readonly listeners: readonly Listener[];
};

/** What is wanted: events by their ids, or those of a time. */
export type ReplayOrder = EventFilter & {
  /** One listener alone; left out, every endpoint and no hook. */
  readonly endpoint?: string | undefined;
  /** Only what has not arrived there. */
  readonly undelivered: boolean;
  /** Only counts. */
  readonly dryRun: boolean;
};

/** Deliveries by the listener to whom they go; those who asked to be left alone get none. */
export type ReplayResult = {
  readonly endpoints: readonly { readonly name: string; readonly deliveries: number; readonly disabled: boolean }[];
  readonly dry_run: boolean;
};

/**
 * Has events go again, under the ids and numbers that they have; a listener is never sent a kind that it does not name.
 * Workers deliver them. Throws InputError for an order that names nothing, nobody, or an unknown event, and FenceError in
 * another installation's database; then nothing goes.
 */
export async function replayEvents(deps: ReplayDeps, order: ReplayOrder, actor: string): Promise<ReplayResult> {
  const { db, fingerprint } = deps;
  const { ids, kinds, subscriptionId, from, until, undelivered, dryRun } = order;
  const filter = { ids, kinds, subscriptionId, from, until };
  await demandEvents(db, filter);
  const chosen = chosenListeners(deps, order.endpoint);
  const disabled = await disabledEndpoints(db, chosen);
  const [one] = disabled;
  if (one !== undefined && disabled.length === chosen.length) {
    const since = isoInstant(one.disabledAt);
    throw new InputError(
      `${one.name} is left alone since ${since}: ${one.reason}`,
      `\`maedal events enable ${one.name}\``,
    );
  }
  const what = { filter, listeners: chosen, undelivered };
  if (!dryRun && !(await noteReplay(db, fingerprint, { actor, details: detailsOf(order) })))
    throw new FenceError("this database is another installation's", 'see `maedal doctor`');
  const made = dryRun ? await countReplay(db, what) : await replayAll(db, what, fingerprint);
  const isDisabled = new Set(disabled.map(({ name }) => name));
  const endpoints = chosen.map(({ name }) => ({ name, deliveries: made[name] ?? 0, disabled: isDisabled.has(name) }));
  return { endpoints, dry_run: dryRun };
}

async function demandEvents(db: Db, { ids, from, until, kinds, subscriptionId }: EventFilter): Promise<void> {
  if (ids === undefined) {
    if (from === undefined) throw new InputError('no event is named', 'give ids, or from when on');
    if (until !== undefined && from >= until)
      throw new InputError(`from ${isoInstant(from)} is not before until ${isoInstant(until)}`, 'name an earlier time');
    return;
  }
  if ([from, until, kinds, subscriptionId].some((each) => each !== undefined))
    throw new InputError('events are named by ids and by other marks too', 'give one or the other');
  const { rows } = await listEvents(db, { ids }, { limit: ids.length, after: null });
  const known = new Set(rows.map(({ eventId }) => eventId));
  const unknown = ids.find((id) => !known.has(id.toLowerCase()));
  if (unknown !== undefined)
    throw new InputError(`there is no event '${unknown}'`, 'copy its id from /v1/events; they are kept for 90 days');
}

function chosenListeners({ listeners }: ReplayDeps, name: string | undefined): readonly Listener[] {
  const endpoints = listeners.filter((one) => !one.name.startsWith('hook:'));
  const chosen = name === undefined ? endpoints : listeners.filter((one) => one.name === name);
  if (chosen.length > 0) return chosen;
  if (name === undefined)
    throw new InputError('no endpoint is configured', 'write one under `events.endpoints`, or name a hook: `hook:…`');
  const names = listeners.map((one) => one.name);
  throw new InputError(`there is no endpoint '${name}'${didYouMean(name, names)}`, `there are ${names.join(', ')}`);
}

async function replayAll(db: Db, what: Replay, fingerprint: string): Promise<Replayed> {
  const made: Record<string, number> = {};
  let after: Place | null = null;
  do {
    const batch: Awaited<ReturnType<typeof replay>> = await replay(db, what, { limit: BATCH, after, fingerprint });
    for (const [name, count] of Object.entries(batch.made)) made[name] = (made[name] ?? 0) + count;
    after = batch.next;
  } while (after !== null);
  return made;
}

function detailsOf({ dryRun: _, from, until, ...order }: ReplayOrder): object {
  return { ...order, from: from?.toISOString(), until: until?.toISOString() };
}

/** Events that go in one statement. */
const BATCH = 1_000;
