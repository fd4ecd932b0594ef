import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { watchClock } from '../../src/scheduler/clock-watch.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { readSending, stopSending } from '../../src/store/control.ts';
import type { Ring } from '../../src/store/due.ts';
import { resumeSending, watchClock as watchRow } from '../../src/store/sending-alarms.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { controlOf } from '../support/audits.ts';
import { beside } from '../support/beside.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const watch = () =>
  watchClock({
    watchClock: (seconds) => watchRow(world.database.db, seconds),
    report: (event) => void world.events.push(event),
  });
const stops = () => world.events.flatMap((event) => (event.kind === 'sending.stopped' ? [event.reason] : []));

test('the latest instant rises with each watch, and a small step back changes nothing', async () => {
  await watch();
  await world.advance({ minutes: 10 });
  await watch();
  const latest = world.now.toJSDate();
  expect(await controlOf(world)).toMatchObject({ latest_at: latest });
  await world.advance({ minutes: -5 });
  await watch();
  expect(await controlOf(world)).toMatchObject({ latest_at: latest, sending_enabled: true });
  expect(stops()).toEqual([]);
});

test('a clock that steps back by more than five minutes stops the sending, once, until a person takes it for right', async () => {
  await watch();
  await world.advance({ seconds: -301 });
  const subscription = await world.subscribe({ anchorLocal: '2027-01-31T09:00:00' });
  await watch();
  await watch();
  await world.run();
  expect(stops()).toEqual(["the database's clock stepped back by 301 s"]);
  expect(world.gateway.posts).toHaveLength(0);
  const { db } = world.database;
  expect(await controlOf(world)).toMatchObject({
    sending_enabled: false,
    sending_reason: "the database's clock stepped back by 301 s",
    sending_changed_by: 'maedal/clock',
  });
  expect(await db.audit.count({ where: { action: 'sending.off' } })).toBe(1);
  expect(await db.outbox.count({ where: { kind: 'sending.stopped' } })).toBe(1);
  await world.advance({ minutes: -30 }); // and further back, as the clock is set right
  await resumeSending(db, { actor: 'me', reason: 'NTP was wrong before' }, 1);
  await watch();
  expect(await controlOf(world)).toMatchObject({ sending_enabled: true });
  await world.advance({ hours: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(stops()).toHaveLength(1);
});

test('a clock that steps back while sending is off adds its reason, and an order for another one does not take it for right', async () => {
  const { db } = world.database;
  await watch();
  await stopSending(db, { actor: 'cli:kim', reason: 'moving house' });
  await world.advance({ hours: -1 });
  await watch();
  await watch();
  const step = "the database's clock stepped back by 3600 s";
  expect(stops()).toEqual([step]);
  expect(await readSending(db)).toEqual({
    enabled: false,
    reason: `moving house; ${step}`,
    changedBy: 'cli:kim, maedal/clock',
  });
  const blind = await beside(world, 'send', 'on', '--reason', 'moved');
  expect(blind).toEqual({
    code: 3,
    says: expect.stringMatching(/ 1 {2}\S+Z {2}the database's clock stepped back by 3600 s/),
  });
  expect(await readSending(db)).toMatchObject({ enabled: false });
  expect(await beside(world, 'send', 'on', '--reason', 'NTP was wrong', '--acknowledge', '1')).toMatchObject({
    code: 0,
  });
  await watch();
  expect(await readSending(db)).toMatchObject({ enabled: true });
  expect(stops()).toHaveLength(1);
});

test('a step back that no watch has seen yet is seen by the next one, whoever let charges go meanwhile', async () => {
  const { db } = world.database;
  await watch();
  await stopSending(db, { actor: 'cli:kim', reason: 'moving house' });
  await world.advance({ hours: -1 });
  await resumeSending(db, { actor: 'cli:kim', reason: 'moved' });
  await watch();
  expect(await readSending(db)).toMatchObject({ enabled: false, changedBy: 'maedal/clock' });
});

test('a host whose clock is a day ahead charges nothing before the database says that it is due', async () => {
  const subscription = await world.subscribe({ anchorLocal: '2027-02-01T09:00:00' });
  const ahead = {
    nowMs: () => world.now.plus({ days: 1 }).toMillis(),
    monotonicMs: () => 0,
    after: () => () => undefined,
  };
  const { scheduler, worker } = world;
  Object.assign(world, { scheduler: { ...scheduler, clock: ahead }, worker: { ...worker, clock: ahead } });
  await world.run();
  await world.advance({ hours: 22, minutes: 59 });
  await world.run();
  expect(world.gateway.posts).toEqual([]);
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('workers whose clocks are days apart lease one attempt once, until the database says that the lease is over', async () => {
  await world.subscribe();
  const apart = [-2, -1, 0, 1, 2, 30].map((days) => {
    const nowMs = () => world.now.plus({ days }).toMillis();
    return { ...world.worker, clock: { nowMs, monotonicMs: nowMs, after: () => () => undefined } };
  });
  const [ring] = await rung(tick);
  if (ring === undefined) throw new Error('nothing was rung');
  const leases = await Promise.all(apart.map(({ store, leaseSeconds }) => store.lease(ring, leaseSeconds)));
  expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  await world.advance({ seconds: 89 });
  expect(await rung(sweep)).toEqual([]); // whoever has it is not disturbed
  await world.advance({ seconds: 32 });
  const [again] = await rung(sweep);
  if (again === undefined) throw new Error('nothing was rung again');
  await Promise.all(apart.map((worker) => runJob(worker, again)));
  expect(world.gateway.posts).toHaveLength(1);
  expect(world.gateway.captures).toHaveLength(1);
});

/** What a pass rings for. */
async function rung(pass: typeof tick | typeof sweep): Promise<Ring[]> {
  const rings: Ring[] = [];
  await pass({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  return rings;
}

test.each([301, -301])(
  'a gateway whose clock is %d s ahead is sent nothing; once it agrees, all that is due goes',
  async (seconds) => {
    const subscription = await world.subscribe();
    world.gateway.readiness = { kind: 'ready', gatewayNowMs: world.now.plus({ seconds }).toMillis() };
    await world.run();
    expect(world.gateway.posts).toHaveLength(0);
    expect(world.events).toContainEqual({
      kind: 'gateway.refused',
      reason: 'the clocks of the database and the gateway are 301 s apart',
      channel: null,
    });
    await world.advance({ hours: 1 });
    await world.run();
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  },
);

test('a host that slept asks the gateway for its clock again, and stops nobody', async () => {
  const subscription = await world.subscribe();
  const stopped: string[] = [];
  Object.assign(world.worker, {
    brake: { ...world.worker.brake, stop: async (why: string) => void stopped.push(why) },
  });
  world.gateway.ready = async (options) => {
    const behind = options?.refresh === true ? 0 : 3_600_000;
    return { kind: 'ready', gatewayNowMs: world.now.toMillis() - behind };
  };
  await world.run();
  expect(stopped).toEqual([]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('an outage is no clock fault', async () => {
  await watch();
  await world.advance({ days: 40 });
  await watch();
  expect(await controlOf(world)).toMatchObject({ sending_enabled: true });
});

test('a database clock that runs ahead proves nothing absent: the horizon is over by it alone', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  for (let looks = 0; looks < 4; looks += 1) {
    await world.advance({ minutes: 5 });
    await world.run();
  }
  const gatewayNowMs = world.now.toMillis();
  await world.advance({ hours: 2 });
  world.gateway.readiness = { kind: 'ready', gatewayNowMs };
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    {
      state: 'unknown',
      fail_reason: expect.stringMatching(
        /nothing is proved now: the clocks of the database and the gateway are 7200 s apart/,
      ),
    },
  ]);
  await world.advance({ hours: 1 });
  await world.run();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 2 }] });
});
