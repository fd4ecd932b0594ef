import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { watchClock } from '../../src/scheduler/clock-watch.ts';
import { resumeSending, watchClock as watchRow } from '../../src/store/control.ts';
import { controlOf } from '../support/audits.ts';
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
  await resumeSending(db, { actor: 'me', reason: 'NTP was wrong before' });
  await watch();
  expect(await controlOf(world)).toMatchObject({ sending_enabled: true });
  await world.advance({ hours: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(stops()).toHaveLength(1);
});

test('a clock that steps back while sending is off leaves the reason alone, and stops it when it is switched on blindly', async () => {
  const { db } = world.database;
  await watch();
  await db.$executeRaw`UPDATE control SET sending_enabled = false, sending_reason = 'moving house'`;
  await world.advance({ hours: -1 });
  await watch();
  expect(await controlOf(world)).toMatchObject({ sending_reason: 'moving house' });
  await db.$executeRaw`UPDATE control SET sending_enabled = true`;
  await watch();
  expect(await controlOf(world)).toMatchObject({ sending_enabled: false, sending_changed_by: 'maedal/clock' });
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
      fail_reason: /nothing is proved now: the clocks of the database and the gateway are 7200 s apart/,
    },
  ]);
  await world.advance({ hours: 1 });
  await world.run();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 2 }] });
});
