import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { lockRows } from '../support/row-lock.ts';
import { invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

async function rung(pass: typeof tick | typeof sweep = tick): Promise<Ring[]> {
  const rings: Ring[] = [];
  await pass({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  return rings;
}

/** Runs the job up to where its intent waits for the rows that `sql` locks, does something there, and lets it go on. */
async function whileIntentWaits(sql: string, meanwhile: string): Promise<void> {
  const [job] = await rung();
  if (job === undefined) throw new Error('nothing was rung');
  const { ready } = world.gateway;
  const arrived = new Promise<() => void>((resolve) => {
    // The second question for a token is the last thing before the intent.
    let asked = 0;
    world.gateway.ready = async (options) => {
      asked += 1;
      if (asked === 2) await new Promise<void>((goOn) => resolve(goOn));
      return ready.call(world.gateway, options);
    };
  });
  const running = runJob(world.worker, job);
  const goOn = await arrived;
  const lock = await lockRows(world.database.url, sql);
  goOn();
  await lock.waitedForBy(1);
  await lock.also(meanwhile);
  await lock.release();
  await running;
}

test.each([
  [
    'cancelled',
    'SELECT FROM subscription FOR UPDATE',
    `UPDATE subscription SET status = 'canceled', canceled_at = now()`,
    'void',
  ],
  ['paused', 'SELECT FROM subscription FOR UPDATE', `UPDATE subscription SET status = 'paused'`, 'held'],
  [
    'voided',
    'SELECT FROM invoice FOR UPDATE',
    `UPDATE invoice SET state = 'void', reason = 'by hand', next_at = NULL`,
    'void',
  ],
] as const)('an intent that waits while the row is %s sends nothing', async (_how, lock, change, state) => {
  const subscription = await world.subscribe();
  await whileIntentWaits(lock, change);
  expect(world.gateway.posts).toEqual([]);
  expect((await invoiceOf(world, subscription)).state).toBe(state);
});

test.each([
  ['sending is switched off', 'UPDATE control SET sending_enabled = false'],
  ['another installation takes the database over', `UPDATE control SET fingerprint = 'another'`],
])('an intent that waits while %s sends nothing', async (_what, change) => {
  await world.subscribe();
  await whileIntentWaits('SELECT FROM subscription FOR UPDATE', change);
  expect(world.gateway.posts).toEqual([]);
});

test('two invoices of one subscription that are paid at the same instant leave it active', async () => {
  const subscription = await world.subscribe({ interval: 'day' });
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  await world.advance({ days: 1, minutes: 11 }); // nobody took the retry: the next period waits for it no longer
  for (const job of await rung()) {
    const { number } = await world.database.db.attempt.findUniqueOrThrow({ where: { id: job.attemptId } });
    if (number === 1) await runJob(world.worker, job); // the second day's invoice; the first one's retry waits
  }
  await world.database.db.$executeRaw`UPDATE subscription SET next_due_at = next_due_at + interval '30 days'`;
  await world.advance({ days: 1 });
  const jobs = await rung(sweep);
  expect(jobs).toHaveLength(2);
  const { charge } = world.gateway;
  let answered = 0;
  const bothCharged = new Promise<void>((resolve) => {
    world.gateway.charge = async (request) => {
      const answer = await charge.call(world.gateway, request);
      answered += 1;
      if (answered === 2) resolve();
      await bothLocked;
      return answer;
    };
  });
  let locked = () => {};
  const bothLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const running = Promise.all(jobs.map((job) => runJob(world.worker, job)));
  await bothCharged;
  const lock = await lockRows(world.database.url, 'SELECT FROM subscription FOR UPDATE');
  locked();
  await lock.waitedForBy(2);
  await lock.release();
  await running;
  expect((await invoicesOf(world, subscription)).map((invoice) => invoice.state)).toEqual(['paid', 'paid']);
  await world.run();
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'active' });
});
