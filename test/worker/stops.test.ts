import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { parseAttemptId } from '../../src/billing/ids.ts';
import { stopStore } from '../../src/store/channel-stops.ts';
import { type Stops, sharedStops } from '../../src/worker/stops.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

const START = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
const ATTEMPT = parseAttemptId('00000000-0000-4000-8000-000000000001');
let database: TestDatabase;
let elapsed: number;
let here: Stops;
let there: Stops;
beforeEach(async () => {
  database = await freshDatabase();
  elapsed = 0;
  await pass(0);
  [here, there] = [worker(), worker()];
});
afterEach(() => database.drop());

async function pass(seconds: number): Promise<void> {
  elapsed += seconds;
  await database.setNow(START.plus({ seconds: elapsed }));
}

function worker(store = stopStore(database.db)): Stops {
  const clock = { nowMs: () => 0, monotonicMs: () => elapsed * 1_000, after: () => () => undefined };
  return sharedStops(store, clock);
}

/** How many of 20 charges of each worker may go. */
async function go(channel: string): Promise<number> {
  const asked = [here, there].flatMap((stops) => Array.from({ length: 20 }, () => stops.standingAgainst(channel)));
  return (await Promise.all(asked)).filter((reason) => reason === null).length;
}

test('what one worker is refused for stops every other within a second', async () => {
  expect(await there.standingAgainst('nice')).toBeNull();
  await here.stop('이용정지 가맹점', 'nice');
  expect(await here.standingAgainst('nice')).toBe('이용정지 가맹점');
  await pass(1);
  expect(await there.standingAgainst('nice')).toBe('이용정지 가맹점');
  expect(await there.standingAgainst('default')).toBeNull();
});

test('once a minute one charge of all workers finds out whether it still holds, however long', async () => {
  await here.stop('PortOne refused the key pair');
  for (let minutes = 0; minutes < 3; minutes += 1) {
    await pass(59);
    expect(await go('nice')).toBe(0);
    await pass(1);
    expect(await go('nice')).toBe(1);
    expect(await go('default')).toBe(0);
  }
});

test('an answer that says otherwise lets all workers go, and that of another channel none', async () => {
  await here.stop('이용정지 가맹점', 'nice');
  await pass(1);
  await there.lift('default');
  expect(await go('nice')).toBe(0);
  await there.lift('nice');
  await pass(1);
  expect(await go('nice')).toBe(40);
});

test('a channel that is to rest goes no sooner, whatever others are answered, and then one charge finds out', async () => {
  await here.rest({ channel: 'nice', attemptId: ATTEMPT, seconds: 90 });
  await pass(1);
  await here.lift('nice');
  await there.lift('nice');
  await here.stop('이용정지 가맹점', 'nice'); // lasts a minute alone, and does not end the rest
  await pass(88);
  expect([await go('nice'), await go('default')]).toEqual([0, 40]);
  await pass(1);
  expect(await go('nice')).toBe(1);
  await there.lift('nice');
  await pass(1);
  expect(await go('nice')).toBe(40);
});

test('what rests goes on resting, whatever else it is told on its way, and whoever is on his way hears of it', async () => {
  const stoppedSince = here.watch('default');
  expect(stoppedSince()).toBeNull();
  await here.rest({ channel: 'default', attemptId: ATTEMPT, seconds: 300 });
  await here.stop('이용정지 가맹점', 'default');
  await here.lift('default'); // another one was paid
  expect(stoppedSince()).toBe('이용정지 가맹점');
  expect(here.watch('default')()).toBeNull();
  expect(here.watch('nice')()).toBeNull();
});

test('who is told hears of it before the database does', async () => {
  const refused = () => Promise.reject(new Error('away'));
  const stops = worker({ ...stopStore(database.db), restChannel: refused });
  const stoppedSince = stops.watch('default');
  await expect(stops.rest({ channel: 'default', attemptId: ATTEMPT, seconds: 5 })).rejects.toThrow('away');
  expect(stoppedSince()).toContain('too many charges');
});

test('where nothing is stopped, a worker reads once a second and writes nothing', async () => {
  const asked = { reads: 0, writes: 0 };
  const writes = async () => {
    asked.writes += 1;
  };
  const channelStops = async () => {
    asked.reads += 1;
    return [];
  };
  const stops = worker({
    channelStops,
    stopChannel: writes,
    restChannel: writes,
    liftStops: writes,
    takeProbe: async () => true,
  });
  for (let charges = 0; charges < 50; charges += 1) {
    await stops.standingAgainst('default');
    await stops.lift('default');
  }
  await pass(1);
  await stops.standingAgainst('default');
  expect(asked).toEqual({ reads: 2, writes: 0 });
});
