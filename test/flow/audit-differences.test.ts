import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compareBookedAgain } from '../../src/scheduler/audit-booked.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { auditAtBoot, chargeSome, controlOf, findingsOf } from '../support/audits.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const outboxOf = (kind: string) => world.database.db.outbox.findMany({ where: { kind } });

describe('captures that we do not count', () => {
  test('settle their invoice, though no look-up ever told of them', async () => {
    const name = await world.subscribe();
    world.gateway.script(`card of ${name}`, 'capture-silently');
    world.gateway.lookUps = 'absent';
    await world.run();
    await world.advance({ minutes: 5 });
    expect(await auditAtBoot(world)).toMatchObject({ counts: { uncounted: 1 } });
    await sweep(world.scheduler);
    expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
    await world.advance({ minutes: 1 });
    expect(await auditAtBoot(world)).toMatchObject({ findings: [] });
  });

  test('that somebody cancels weeks later go to review, though they were taken long before the window', async () => {
    const [name = ''] = await chargeSome(world, 1);
    await world.advance({ days: 25 });
    expect(await auditAtBoot(world)).toMatchObject({ findings: [] });
    world.gateway.land((await invoiceOf(world, name)).attempts[0]?.merchant_uid ?? '', 'cancelled');
    await world.advance({ days: 1 });
    expect(await auditAtBoot(world)).toMatchObject({ counts: { uncounted: 1 } });
    await sweep(world.scheduler);
    expect(await invoiceOf(world, name)).toMatchObject({
      state: 'review',
      reason: expect.stringMatching(/cancelled at the gateway/),
    });
  });

  test('for another amount than was asked go to review, also those that were counted', async () => {
    const [name = '', other = ''] = await chargeSome(world, 2);
    const [record] = world.gateway.records;
    if (record === undefined) throw new Error('nothing was captured');
    world.gateway.records[0] = { ...record, amount: { minor: 99_000, currency: 'KRW' } };
    expect(await auditAtBoot(world)).toMatchObject({ counts: { different: 1 } });
    await sweep(world.scheduler);
    const states = [await invoiceOf(world, name), await invoiceOf(world, other)];
    expect(states.map(({ state }) => state).sort()).toEqual(['paid', 'review']);
    expect(states.map(({ reason }) => reason ?? '').join('')).toMatch(/its amount is 99000 KRW and not 9900 KRW/);
    await world.advance({ minutes: 1 });
    expect(await auditAtBoot(world)).toMatchObject({ findings: [] });
  });

  test('and were cancelled behind our back go to review', async () => {
    const [name = ''] = await chargeSome(world, 1);
    const [record] = world.gateway.records;
    if (record !== undefined) world.gateway.records[0] = { ...record, status: 'cancelled', cancelMinor: 9_900 };
    expect(await auditAtBoot(world)).toMatchObject({ counts: { uncounted: 1 } });
    await sweep(world.scheduler);
    expect(await invoiceOf(world, name)).toMatchObject({ state: 'review' });
  });
});

describe('a list without one payment that we know', () => {
  test.each([
    ['absent', null],
    ['truthful', { findings: [], unclear: null }],
  ] as const)('vouches for nothing unless a look-up finds one, look-ups being %s', async (how, expected) => {
    await chargeSome(world, 1);
    await world.advance({ days: 10 });
    await auditAtBoot(world);
    await world.advance({ days: 10 });
    world.gateway.lists = 'empty';
    world.gateway.lookUps = how;
    const audited = await auditAtBoot(world);
    if (expected === null) expect(audited).toBeNull();
    else expect(audited).toMatchObject(expected);
  });
});

describe('somebody else who charges our cards', () => {
  test('raises one alarm for each payment, and stops nothing', async () => {
    const [name = ''] = await chargeSome(world, 1);
    const [record] = world.gateway.records;
    if (record === undefined) throw new Error('nothing was captured');
    const foreign = { ...record, impUid: 'imps_7', merchantUid: 'recovery-1', subscription: null };
    world.gateway.foreign.push({ ...foreign, customerUid: `card of ${name}`, usage: 'payment.scheduled' });
    expect(await auditAtBoot(world)).toMatchObject({
      counts: { foreign: 1 },
      findings: [{ reason: expect.stringMatching(/payment\.scheduled/) }],
    });
    await world.advance({ days: 1 });
    expect(await auditAtBoot(world)).toMatchObject({ counts: { foreign: 1 } });
    expect(findingsOf(world)).toEqual(['foreign']);
    expect(await outboxOf('audit.foreign_capture')).toMatchObject([{ payload: { imp_uid: 'imps_7', amount: 9_900 } }]);
    expect(await controlOf(world)).toMatchObject({ sending_enabled: true, audited_at: expect.any(Date) });
    await sweep(world.scheduler);
    expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
  });

  test('by a schedule at the gateway keeps us from charging that card until it is gone', async () => {
    const [booked, free] = [await world.subscribe(), await world.subscribe()];
    const scheduleAtMs = world.now.plus({ days: 10 }).toMillis();
    world.gateway.booked.push(
      { merchantUid: 'next', customerUid: `card of ${booked}`, scheduleAtMs, isPending: true },
      { merchantUid: 'theirs', customerUid: 'a card of somebody else', scheduleAtMs, isPending: true },
    );
    expect(await auditAtBoot(world)).toMatchObject({ counts: { booked: 1 } });
    expect(findingsOf(world)).toEqual(['booked']);
    await world.run();
    expect(await invoiceOf(world, free)).toMatchObject({ state: 'paid' });
    expect(await invoiceOf(world, booked)).toMatchObject({
      state: 'open',
      attempts: [
        {
          state: 'prepared',
          fail_reason: expect.stringMatching(/the gateway is to charge this card by itself at 2027-02-10/),
        },
      ],
    });
    world.gateway.booked.splice(0);
    await world.advance({ minutes: 10 });
    expect(await auditAtBoot(world)).toMatchObject({ findings: [] });
    await world.run();
    expect(await invoiceOf(world, booked)).toMatchObject({ state: 'paid' });
    expect(findingsOf(world)).toHaveLength(1);
  });

  test('by schedules that cannot be listed is told, and looked for again in minutes', async () => {
    const booked = await world.subscribe();
    const scheduleAtMs = world.now.plus({ days: 10 }).toMillis();
    world.gateway.booked.push({ merchantUid: 'next', customerUid: `card of ${booked}`, scheduleAtMs, isPending: true });
    const { schedules } = world.gateway;
    world.gateway.schedules = async () => ({ kind: 'unclear', reason: 'HTTP 500' });
    await auditAtBoot(world);
    expect(world.events).toContainEqual({ kind: 'audit.schedules_unclear', reason: 'HTTP 500' });
    await world.advance({ minutes: 5 });
    await compareBookedAgain(world.audits);
    expect(await controlOf(world)).toMatchObject({ schedules_unclear: 'HTTP 500' });
    Object.assign(world.gateway, { schedules });
    await compareBookedAgain(world.audits);
    expect(findingsOf(world)).toEqual([]); // too soon
    await world.advance({ minutes: 5 });
    await compareBookedAgain(world.audits);
    expect(findingsOf(world)).toEqual(['booked']);
    expect(await controlOf(world)).toMatchObject({ schedules_unclear: null });
    await world.run();
    expect(world.gateway.posts).toEqual([]);
  });

  test('by a schedule of a card that came since the audit is seen within half a minute', async () => {
    await auditAtBoot(world);
    await world.advance({ seconds: 30 });
    await compareBookedAgain(world.audits);
    const booked = await world.subscribe({ anchorLocal: '2027-02-01T10:00:00' });
    const scheduleAtMs = world.now.plus({ days: 10 }).toMillis();
    world.gateway.booked.push({ merchantUid: 'next', customerUid: `card of ${booked}`, scheduleAtMs, isPending: true });
    await world.advance({ seconds: 30 });
    await compareBookedAgain(world.audits);
    expect(findingsOf(world)).toEqual(['booked']);
    await world.advance({ days: 1 });
    await world.run();
    expect(world.gateway.posts).toEqual([]);
  });

  test('by schedules is not looked for again where no card has come', async () => {
    await auditAtBoot(world);
    await world.subscribe({ anchorLocal: '2027-02-01T10:00:00' });
    await world.advance({ minutes: 6 });
    await compareBookedAgain(world.audits);
    const { schedules } = world.gateway;
    let listed = 0;
    world.gateway.schedules = (...args: Parameters<typeof schedules>) => {
      listed += 1;
      return schedules.apply(world.gateway, args);
    };
    await world.advance({ minutes: 6 });
    await compareBookedAgain(world.audits);
    expect(listed).toBe(0);
  });
});
