import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { Ring } from '../../../../src/store/due.ts';
import { freshDatabase, type TestDatabase } from '../../../support/database.ts';
import { Chance } from '../chance.ts';
import { canonical, canonicalRows } from './canonical.ts';
import { memorySide } from './memory-side.ts';
import { postgresSide } from './postgres-side.ts';
import type { Beginning, Side } from './side.ts';
import type { Hands, Step } from './step.ts';
import { nextStep } from './steps.ts';

const START_MS = Date.UTC(2027, 0, 31, 1);
const SEQUENCES = 120;
const STEPS = 30;

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

test('the store in memory answers as the store on Postgres does, and leaves the same rows', async () => {
  const postgres = postgresSide(database, (ms) => DateTime.fromMillis(ms, { zone: 'utc' }));
  for (let seed = 1; seed <= SEQUENCES; seed += 1) await sequence(seed, postgres);
}, 300_000);

/** Both sides take the same steps at the same instants; after each, they said the same. */
async function sequence(seed: number, postgres: Side): Promise<void> {
  const chance = new Chance(seed);
  const memory = memorySide();
  const subscriptions = beginnings(chance);
  const both = [memory, postgres].map((side) => handsOf(side));
  for (const { side } of both) await side.begin(subscriptions, START_MS);
  const taken: string[] = [];
  let nowMs = START_MS;
  for (let count = 0; count < STEPS; count += 1) {
    nowMs += pause(chance, memory, nowMs);
    const uids = [...memory.tables.attempts.all()].map((attempt) => attempt.merchant_uid).sort();
    const step = nextStep(chance, { uids, subscriptions: subscriptions.map((one) => one.external_id) });
    taken.push(`${nowMs - START_MS} ${step.name}`);
    const [ours, theirs] = await Promise.all(both.map((hands) => take(hands, step, nowMs)));
    expect({ seed, taken, answer: theirs }).toEqual({ seed, taken, answer: ours });
  }
  const [ours, theirs] = await Promise.all(both.map(({ side }) => rowsOf(side)));
  expect({ seed, taken, rows: theirs }).toEqual({ seed, taken, rows: ours });
}

async function take(hands: Hands, step: Step, nowMs: number): Promise<unknown> {
  hands.nowMs = nowMs;
  await hands.side.setNow(nowMs);
  const answer = await step.take(hands).catch(() => 'refused by the database');
  if (MAKES_ROWS.test(step.name)) hands.names = await hands.side.names();
  const byName = ({ attemptId, generation }: Ring) => `${generation} ${hands.names.get(attemptId)}`;
  hands.rings = hands.rings.sort((one, other) => (byName(one) < byName(other) ? -1 : 1)).slice(-6);
  hands.found.sort((one, other) => (one.capture.impUid < other.capture.impUid ? -1 : 1));
  return canonical(answer, hands.names);
}

const MAKES_ROWS = /^(tick|sweep|prepare|draw up|account)/;

async function rowsOf(side: Side): Promise<unknown> {
  return canonicalRows(await side.rows(), await side.names());
}

function handsOf(side: Side): Hands {
  return { side, nowMs: START_MS, names: new Map(), rings: [], leased: [], drawn: [], watched: [], found: [] };
}

function beginnings(chance: Chance): Beginning[] {
  return Array.from({ length: 1 + chance.below(3) }, (_, index) => ({
    external_id: `sub-${index}`,
    customer: chance.hits(0.5) ? 'customer-0' : `customer-${index}`,
    card: `card-${index}`,
    anchor_local: `2027-01-31T01:00:0${index}`, // no two fall due at once, for then their ids would decide,
    interval: chance.pick(['day', 'month'] as const),
    ends_after: chance.pick([null, 1, 2]),
    status: chance.pick(['trialing', 'active', 'active'] as const),
    next_period: 0,
    next_due_at: START_MS + index * 1_000,
    created_at: START_MS - chance.pick([0, 1_000]),
  }));
}

/** A little, or exactly until something ends or falls due. Never nothing: two facts of one instant have no order. */
function pause(chance: Chance, { tables }: ReturnType<typeof memorySide>, nowMs: number): number {
  const instants = [
    ...[...tables.attempts.all()].map(({ lease_until }) => lease_until),
    ...[...tables.invoices.all()].map(({ next_at }) => next_at),
    ...[...tables.observations.all()].map(({ account_at }) => account_at),
  ].flatMap((at) => (at !== null && at > nowMs ? [at - nowMs] : []));
  if (instants.length > 0 && chance.hits(0.4)) return chance.pick(instants);
  return chance.pick([1, 1, 1_000, 1_000, 5_000, 90_000, 120_000, 3_600_000, 86_400_000]);
}
