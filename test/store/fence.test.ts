import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { adoptDatabase, readSending, readStakes, stopSending } from '../../src/store/control.ts';
import { fenceOf, readFence } from '../../src/store/fence.ts';
import { markDatabase } from '../../src/store/fingerprint.ts';
import { raiseUnknownCaptures, resumeSending, standingAlarms } from '../../src/store/sending-alarms.ts';
import { addInvoice, addSubscription } from '../operator/rows.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { lockRows } from '../support/row-lock.ts';

const OURS = { fingerprint: 'account:server:name', needsAdoption: false };
const LIVE = { ...OURS, needsAdoption: true };
const AT = new Date('2027-01-31T01:00:00Z');
const SAID = { actor: 'me@here', reason: 'because' };

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

test.each([
  [OURS, 'account:server:name', null, 'open', ''],
  [OURS, null, null, 'open', ''],
  [LIVE, null, null, 'not-adopted', 'was not adopted'],
  [LIVE, 'account:server:name', null, 'not-adopted', 'was not adopted'],
  [LIVE, 'account:server:name', AT, 'open', ''],
  [LIVE, 'another:server:name', AT, 'foreign', 'another MAEDAL_SECRET or another PortOne key'],
  [OURS, 'account:another:name', AT, 'foreign', 'moved or copied from another server'],
  [OURS, 'account:server:another', AT, 'foreign', 'had another name'],
  [OURS, 'another:another:name', AT, 'foreign', 'another PortOne key, and was moved'],
] as const)('to %j a database marked %s, adopted at %s, is %s', (identity, fingerprint, adoptedAt, kind, words) => {
  const fence = fenceOf({ fingerprint, adopted_at: adoptedAt }, identity);
  expect(fence.kind).toBe(kind);
  expect('reason' in fence ? fence.reason : '').toContain(words);
});

test('whoever comes first marks a database, and adoption alone changes the mark', async () => {
  const { db } = database;
  await markDatabase(db, 'first:server:name');
  await markDatabase(db, OURS.fingerprint);
  expect(await readFence(db, OURS)).toMatchObject({ kind: 'foreign' });
  await db.$executeRaw`UPDATE control SET audited_at = now(), audit_begun_at = now()`;
  await adoptDatabase(db, LIVE, SAID);
  expect(await readFence(db, LIVE)).toEqual({ kind: 'open' });
  expect(await db.control.findFirst()).toMatchObject({
    adopted_reason: 'because',
    audited_at: null,
    audit_begun_at: null,
  });
  expect(await db.audit.findMany()).toMatchObject([
    {
      actor: 'me@here',
      action: 'database.adopted',
      reason: 'because',
      details: { before: 'first:server:name', after: OURS.fingerprint },
    },
  ]);
});

test('the switch keeps who stopped the sending first, and who let it go again, and why', async () => {
  const { db } = database;
  expect(await stopSending(db, SAID)).toBe(true);
  expect(await stopSending(db, { actor: 'maedal/audit', reason: 'unknown captures' })).toBe(false);
  expect(await readSending(db)).toEqual({ enabled: false, reason: 'because', changedBy: 'me@here' });
  await resumeSending(db, { actor: 'you@here', reason: 'all is well' });
  expect(await readSending(db)).toEqual({ enabled: true, reason: 'all is well', changedBy: 'you@here' });
  const rows = await db.audit.findMany({ orderBy: { id: 'asc' } });
  expect(rows.map(({ actor, action }) => [actor, action])).toEqual([
    ['me@here', 'sending.off'],
    ['you@here', 'sending.on'],
  ]);
  const told = await db.outbox.findMany({ orderBy: { id: 'asc' } });
  expect(told.map(({ kind }) => kind)).toEqual(['sending.stopped', 'sending.resumed']);
});

test('of two who raise alarms at the same instant each has its own numbers, and what both found is raised once', async () => {
  const { db } = database;
  const found = (...impUids: string[]) => impUids.map((impUid) => ({ impUid, reason: `${impUid} is not known` }));
  const lock = await lockRows(database.url, 'SELECT FROM control FOR UPDATE');
  const both = Promise.all([
    raiseUnknownCaptures(db, found('imps_1', 'imps_2'), SAID),
    raiseUnknownCaptures(db, found('imps_2', 'imps_3'), SAID),
  ]);
  await lock.waitedForBy(2);
  await lock.release();
  expect(await both).toEqual([true, true]);
  const standing = await standingAlarms(db);
  expect(new Set(standing.map(({ number }) => number)).size).toBe(3);
  expect(standing.map(({ reason }) => reason).sort()).toEqual(
    found('imps_1', 'imps_2', 'imps_3').map(({ reason }) => reason),
  );
  expect(await raiseUnknownCaptures(db, found('imps_1'), SAID)).toBe(false);
});

test('an alarm that is raised while a person names the ones before it is not taken for settled with them', async () => {
  const { db } = database;
  await raiseUnknownCaptures(db, [{ impUid: 'imps_1', reason: 'seen' }], SAID);
  const lock = await lockRows(database.url, 'SELECT FROM control FOR UPDATE');
  const raising = raiseUnknownCaptures(db, [{ impUid: 'imps_2', reason: 'unseen' }], SAID);
  await lock.waitedForBy(1);
  const resuming = resumeSending(db, SAID, 1);
  await lock.waitedForBy(2);
  await lock.release();
  await raising;
  expect(await resuming).toMatchObject({ kind: 'refused', standing: [{ reason: 'seen' }, { reason: 'unseen' }] });
  expect(await readSending(db)).toMatchObject({ enabled: false });
});

test('at stake is what runs and what is due', async () => {
  const { db } = database;
  await database.setNow(null);
  const { id } = await addSubscription(db, 'a');
  await addSubscription(db, 'b', { status: 'paused' });
  await addInvoice(db, id, { period: '2027-01-31', state: 'open', nextAt: '2020-01-01T00:00:00Z' });
  await addInvoice(db, id, { period: '2027-02-28', state: 'retrying', nextAt: '2020-01-01T00:00:00Z' });
  await addInvoice(db, id, { period: '2027-03-31', state: 'open', nextAt: '2999-01-01T00:00:00Z' });
  expect(await readStakes(db)).toMatchObject({ subscriptions: 1, due: [{ currency: 'KRW', count: 2, minor: 19_800 }] });
});
