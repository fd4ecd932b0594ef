import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { merchantUid } from '../../src/billing/ids.ts';
import { resumeSending } from '../../src/store/sending-alarms.ts';
import { auditAtBoot, chargeSome, controlOf, restoreBackup } from '../support/audits.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const SAID = { actor: 'cli:kim', reason: 'looked at what the audit found' };
const outboxOf = (kind: string) => world.database.db.outbox.findMany({ where: { kind } });

const restored = () => restoreBackup(world.database.db, world.now.minus({ hours: 2 }).toJSDate());

/** Counts look-ups from here on. */
function lookUps(): { count: number } {
  const counted = { count: 0 };
  const { lookUp } = world.gateway;
  world.gateway.lookUp = (uid) => {
    counted.count += 1;
    return lookUp.call(world.gateway, uid);
  };
  return counted;
}

describe('books that agree', () => {
  test('pass, and first attempts then go without a look-up, retries never', async () => {
    await chargeSome(world, 3);
    expect(await auditAtBoot(world)).toMatchObject({
      listed: 3,
      ours: 3,
      findings: [],
      unclear: null,
      bookedUnclear: null,
    });
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'audit.finished', passed: true, findings: 0 }));
    const counted = lookUps();
    const declining = await world.subscribe();
    world.gateway.script(`card of ${declining}`, 'decline');
    await world.run();
    expect(counted.count).toBe(0);
    await world.advance({ days: 1 });
    await world.run();
    expect(await invoiceOf(world, declining)).toMatchObject({ state: 'paid' });
    expect(counted.count).toBe(2); // of either attempt
  });

  test.each([
    ['26 hours later', async () => world.advance({ hours: 27 })],
    [
      'after the tables were loaded anew',
      async () => world.database.db.$executeRawUnsafe('VACUUM FULL attempt'), // another file, as after a restore
    ],
    ['before it', async () => world.database.db.$executeRaw`UPDATE control SET audited_at = NULL`],
  ])('are looked into before every first attempt %s', async (_, happen) => {
    await chargeSome(world, 1);
    await auditAtBoot(world);
    await happen();
    const counted = lookUps();
    await world.subscribe();
    await world.run();
    expect(counted.count).toBeGreaterThan(0);
  });
});

describe('captures that the database does not know', () => {
  test('stop the sending, naming the payments, and everything that is drawn up again is settled by them', async () => {
    const names = await chargeSome(world, 7);
    await restored();
    expect(await auditAtBoot(world)).toMatchObject({ counts: { unknown: 7 } });
    expect(await controlOf(world)).toMatchObject({
      sending_enabled: false,
      sending_changed_by: 'maedal/audit',
      sending_reason: expect.stringMatching(/imps_000000000001 \(\w{32}\), imps_000000000002/),
      audited_at: null,
    });
    expect(world.events.filter(({ kind }) => kind === 'sending.stopped')).toHaveLength(1);
    expect(await outboxOf('audit.unknown_capture')).toHaveLength(7);
    expect(await world.database.db.audit.findMany({ where: { action: 'sending.off' } })).toHaveLength(1);
    await world.subscribe({ externalId: 'new' });
    await world.run();
    expect(world.gateway.posts).toHaveLength(7); // and none since
    for (const name of names) expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
    await world.advance({ minutes: 1 });
    await auditAtBoot(world);
    expect(world.events.at(-1)).toMatchObject({ kind: 'audit.finished', passed: true });
    expect(await controlOf(world)).toMatchObject({ sending_enabled: false }); // until a person says so
  });

  test('are unknown also under another secret, by the subscription that custom_data names', async () => {
    const [name] = await chargeSome(world, 1);
    await restored();
    const [record] = world.gateway.records;
    if (record !== undefined) {
      world.gateway.foreign.push({
        ...record,
        impUid: 'imps_9',
        merchantUid: 'x'.repeat(32),
        subscription: name ?? '',
        usage: 'payment',
      });
    }
    expect(await auditAtBoot(world)).toMatchObject({ counts: { unknown: 2 } });
  });

  test('stop it again at every audit until a person acknowledges them, and then no more', async () => {
    await chargeSome(world, 1);
    await restored();
    const { db } = world.database;
    await db.$executeRaw`UPDATE subscription SET next_due_at = NULL`; // it is never drawn up again
    await auditAtBoot(world);
    await db.$executeRaw`UPDATE control SET sending_enabled = true`;
    await world.advance({ days: 1 });
    await auditAtBoot(world);
    expect(await controlOf(world)).toMatchObject({ sending_enabled: false, audited_at: null });
    expect(await outboxOf('audit.unknown_capture')).toHaveLength(1);
    expect(await resumeSending(db, SAID)).toMatchObject({ kind: 'refused', standing: [{ number: 1 }] });
    await resumeSending(db, SAID, 1);
    await world.advance({ days: 1 });
    await auditAtBoot(world);
    expect(await controlOf(world)).toMatchObject({ sending_enabled: true, audited_at: expect.any(Date) });
  });

  test('are looked up before a charge of their id whatever an audit says', async () => {
    const [name = ''] = await chargeSome(world, 1);
    await restored();
    await auditAtBoot(world);
    await resumeSending(world.database.db, SAID, 1);
    await world.advance({ days: 1 });
    await auditAtBoot(world);
    expect(await controlOf(world)).toMatchObject({ audited_at: expect.any(Date) });
    // The worker comes before the sweep has accounted for what was seen.
    await world.database.db.$executeRaw`UPDATE observation SET account_at = maedal_now() + interval '1 hour'`;
    await world.run();
    expect(world.gateway.posts).toHaveLength(1);
    expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
  });

  test('that lie behind the window still keep an audit from passing', async () => {
    await chargeSome(world, 1);
    await restored();
    await world.database.db.$executeRaw`UPDATE subscription SET next_due_at = NULL`;
    await auditAtBoot(world);
    await world.advance({ days: 9 });
    expect(await auditAtBoot(world)).toMatchObject({ listed: 0, counts: { unknown: 0 } });
    expect(world.events.at(-1)).toMatchObject({ kind: 'audit.finished', passed: false });
  });

  test('are acted on even if the list then breaks off', async () => {
    await chargeSome(world, 3);
    await restored();
    world.gateway.lists = 'partial';
    expect(await auditAtBoot(world)).toBeNull();
    expect(await controlOf(world)).toMatchObject({ sending_enabled: false, audited_at: null });
    expect(world.events.at(-1)).toEqual({ kind: 'audit.unclear', reason: 'a page got lost' });
  });

  test('another installation on the same account is none of our business', async () => {
    await chargeSome(world, 1);
    const [record] = world.gateway.records;
    if (record !== undefined) {
      const other = { ...record, impUid: 'imps_9', merchantUid: 'y'.repeat(32), customerUid: 'theirs' };
      world.gateway.foreign.push({ ...other, subscription: 'their subscription', usage: 'payment' });
    }
    expect(await auditAtBoot(world)).toMatchObject({ listed: 2, ours: 1, findings: [] });
    expect(await controlOf(world)).toMatchObject({ sending_enabled: true, audited_at: expect.any(Date) });
  });
});

test('an audit leaves a row that says what it compared and found', async () => {
  await chargeSome(world, 2);
  await auditAtBoot(world);
  const [row] = await world.database.db.audit.findMany({ where: { action: 'audit.finished' } });
  expect(row).toMatchObject({ actor: 'maedal/audit', details: { listed: 2, ours: 2, passed: true, findings: [] } });
});

test('what the audit calls ours is what attempts are called', async () => {
  const { hmac, installation } = world.scheduler;
  await chargeSome(world, 1);
  const uid = merchantUid(hmac, installation, 'lost', '2027-01-31', 37);
  const [record] = world.gateway.records;
  if (record === undefined) throw new Error('nothing was captured');
  world.gateway.foreign.push({ ...record, impUid: 'imps_8', merchantUid: uid, subscription: null, usage: null });
  expect(await auditAtBoot(world)).toMatchObject({ counts: { unknown: 1 } });
});
