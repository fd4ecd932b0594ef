import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { explainInvoice } from '../../src/operator/explain.ts';
import { readSending, stopSending } from '../../src/store/control.ts';
import { auditAtBoot, chargeSome, controlOf } from '../support/audits.ts';
import { beside } from '../support/beside.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
  await chargeSome(world, 1);
});
afterEach(() => world.end());

const stops = () => world.events.flatMap((event) => (event.kind === 'sending.stopped' ? [event.reason] : []));
const say = (...args: string[]) => beside(world, 'send', 'on', '--reason', 'the deploy is done', ...args);

/** The gateway holds one more payment under an id of ours, which this database never had. */
function forget(impUid: string): void {
  const [known] = world.gateway.records;
  if (known === undefined) throw new Error('nothing was captured');
  world.gateway.records.push({
    ...known,
    impUid,
    merchantUid: `${known.merchantUid.slice(0, -3)}${impUid.slice(-1)}01`,
  });
}

async function auditAgain() {
  await world.advance({ minutes: 1 });
  return auditAtBoot(world);
}

test('an audit that finds unknown captures while sending is off for another reason adds its own, and tells', async () => {
  const { db } = world.database;
  await stopSending(db, { actor: 'cli:kim', reason: 'deploy' });
  forget('imps_a');
  await auditAgain();
  await auditAgain();
  expect(await readSending(db)).toEqual({
    enabled: false,
    reason: expect.stringMatching(/^deploy; the gateway holds payments of ours .*: imps_a \(\w+\)$/),
    changedBy: 'cli:kim, maedal/audit',
  });
  expect(stops()).toEqual([expect.stringMatching(/imps_a/)]);
  expect(await db.outbox.count({ where: { kind: 'sending.stopped' } })).toBe(2);
  const waiting = await world.subscribe();
  await world.run();
  const { id } = await invoiceOf(world, waiting);
  const { next } = await explainInvoice(db, id, { fingerprint: FINGERPRINT, needsAdoption: false });
  expect(next.says).toMatch(/Sending is switched off \(deploy; the gateway holds .*, by cli:kim, maedal\/audit\)/);
});

test('an order for another reason does not end it: `send on` lists what stands, and wants it named', async () => {
  await stopSending(world.database.db, { actor: 'cli:kim', reason: 'deploy' });
  forget('imps_a');
  await auditAgain();
  const blind = await say();
  expect(blind).toEqual({
    code: 3,
    says: expect.stringMatching(/ 1 {2}2027-\S+Z {2}imps_a \(\w+\) carries our prefix/),
  });
  expect(blind.says).toMatch(/say it again with --acknowledge 1$/);
  expect(await readSending(world.database.db)).toMatchObject({ enabled: false });
  forget('imps_b');
  await auditAgain();
  expect(await say('--acknowledge', '1')).toEqual({ code: 3, says: expect.stringMatching(/imps_b/) });
  expect(await say('--acknowledge', '3')).toMatchObject({ code: 3 });
  expect(await say('--acknowledge', '2')).toEqual({
    code: 0,
    says: expect.stringMatching(/taken for settled:.*imps_a.*imps_b/s),
  });
  expect(await readSending(world.database.db)).toMatchObject({ enabled: true, reason: 'the deploy is done' });
  const [resumed] = await world.database.db.audit.findMany({ where: { action: 'sending.on' } });
  expect(resumed?.details).toMatchObject({ acknowledged: [{ subject: 'imps_a' }, { subject: 'imps_b' }] });
});

test('what a person took for settled stops nothing again, and what comes later does', async () => {
  forget('imps_a');
  await auditAgain();
  expect(await say('--acknowledge', '1')).toMatchObject({ code: 0 });
  expect(await auditAgain()).toMatchObject({ findings: [] });
  expect(await controlOf(world)).toMatchObject({ sending_enabled: true, audited_at: expect.any(Date) });
  forget('imps_b');
  await auditAgain();
  expect(await readSending(world.database.db)).toMatchObject({
    enabled: false,
    reason: expect.stringMatching(/imps_b/),
  });
  expect(await say('--acknowledge', '1')).toMatchObject({ code: 3 });
});

test('where nothing stands, `send on` needs no more than a reason', async () => {
  await stopSending(world.database.db, { actor: 'cli:kim', reason: 'deploy' });
  expect(await say()).toEqual({ code: 0, says: 'sending is on; it was off: deploy' });
});
