import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { explainInvoice, renderExplanation } from '../../src/operator/explain.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { stopSending } from '../../src/store/control.ts';
import type { Ring } from '../../src/store/due.ts';
import { resumeSending } from '../../src/store/sending-alarms.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { Crash, crashing } from '../support/crashing.ts';
import type { Behaviour } from '../support/fake-gateway.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  await world.subscribe({ externalId: 'canary' });
  subscription = await world.subscribe();
});
afterEach(() => world.end());

async function explained() {
  const { id } = await invoiceOf(world, subscription);
  const identity = { fingerprint: FINGERPRINT, needsAdoption: false };
  return explainInvoice(world.database.db, id, identity);
}

/** What `maedal explain` tells after the first two lines, with the reason after a colon and without ids of payments. */
async function told(): Promise<string[]> {
  const { story } = await explained();
  const lines = story.map(({ says, why }) => (why === null ? says : `${says}: ${why}`));
  expect(lines.slice(0, 2)).toEqual(['The invoice was drawn up', 'Attempt 1 was made ready']);
  return lines.slice(2).map((line) => line.replaceAll(/imps_\w+/g, 'imps_…'));
}

/** At once, and again after each of these waits. */
async function runAfter(...minutes: readonly number[]): Promise<void> {
  await world.run();
  for (const wait of minutes) {
    await world.advance({ minutes: wait });
    await world.run();
  }
}

const SENT = 'Attempt 1 was sent to the gateway';
const TO_BE_CHARGED = 'Attempt 1 was about to be charged at the gateway';
const UNCLEAR =
  'Attempt 1 has no clear answer, so it may have been charged; nothing else is sent until that is known: the connection was lost';
const NOT_KNOWN =
  'Attempt 1 was looked up, and is still not known to be charged or not: the gateway knows no such payment yet';
const SENT_AGAIN = 'Attempt 1 was sent to the gateway once more, under the same id';
const PAID = ['Attempt 1 was paid', 'The invoice is paid'];

test.each<[string, Behaviour[], number[], string[]]>([
  [
    'an answer that got lost on its way back',
    ['capture-silently'],
    [2],
    [SENT, UNCLEAR, 'Attempt 1 turned out to be paid', 'The invoice is paid'],
  ],
  [
    'a charge that never arrived',
    ['lose'],
    [1, 2, 4, 64, 1],
    [
      ...[SENT, UNCLEAR, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN],
      'Attempt 1 never arrived, and goes again under the same id: the gateway still knows no such payment, and does find imps_…, which was paid',
      ...[SENT_AGAIN, ...PAID],
    ],
  ],
  [
    'a gateway that could not be reached',
    ['refuse-connection'],
    [1],
    [
      TO_BE_CHARGED,
      'Attempt 1 came to nothing, and goes again under the same id: connection refused',
      SENT_AGAIN,
      ...PAID,
    ],
  ],
  [
    'a token that ran out',
    ['unauthorized'],
    [],
    [
      TO_BE_CHARGED,
      'Attempt 1 came to nothing, and goes again under the same id: the token was refused',
      SENT_AGAIN,
      ...PAID,
    ],
  ],
  [
    'a payment of another amount',
    ['pay-less'],
    [],
    [
      SENT,
      'Attempt 1 was put before a person: imps_… was paid, but its amount is 1 KRW and not 9900 KRW',
      'The invoice was put before a person: imps_… was paid, but its amount is 1 KRW and not 9900 KRW',
    ],
  ],
  [
    'a payment that was pending',
    ['ready'],
    [2],
    [
      SENT,
      'Attempt 1 has no clear answer, so it may have been charged; nothing else is sent until that is known: pending',
      'Attempt 1 was looked up, and is still not known to be charged or not: not decided at the gateway: imps_… ready',
    ],
  ],
])('tells of %s', async (_, behaviours, minutes, story) => {
  world.gateway.script(`card of ${subscription}`, ...behaviours);
  await runAfter(...minutes);
  expect(await told()).toEqual(story);
});

test('tells of a worker that died with a charge in flight, and what became of it', async () => {
  const { scheduler, worker: deps, database } = world;
  const rings: Ring[] = [];
  await tick({ ...scheduler, ring: async (added) => void rings.push(...added) });
  const { attempts } = await invoiceOf(world, subscription);
  const [own, other] = [true, false].map((isOwn) =>
    rings.find((ring) => (ring.attemptId === attempts[0]?.id) === isOwn),
  );
  if (own === undefined || other === undefined) throw new Error('not both were rung');
  const rehearsal = crashing({ deps, db: database.db }, Infinity, 'after');
  await runJob(rehearsal.deps, other);
  // One look-up more than in the rehearsal: that payment is known by now, and is looked for beside this one.
  const dying = crashing({ deps, db: database.db }, rehearsal.effects().indexOf('charge') + 1, 'after');
  await expect(runJob(dying.deps, own)).rejects.toThrow(Crash);
  await runAfter(5, 5);
  expect(await told()).toEqual([
    'Attempt 1 was about to be sent to the gateway, or was',
    'Attempt 1 has no clear answer, so it may have been charged; nothing else is sent until that is known: the worker that sent it never reported back',
    ...['Attempt 1 turned out to be paid', 'The invoice is paid'],
  ]);
});

test('while nothing answered, it is not told that the charge was sent', async () => {
  const { charge } = world.gateway;
  const asked: Promise<[string | undefined, string]>[] = [];
  world.gateway.charge = async (request) => {
    if (request.customerUid === `card of ${subscription}`)
      asked.push(Promise.all([told().then((lines) => lines.at(-1)), explained().then(renderExplanation)]));
    await Promise.all(asked);
    return charge.call(world.gateway, request);
  };
  await world.run();
  const [[line, text] = []] = await Promise.all(asked);
  expect(line).toBe('Attempt 1 is about to be sent to the gateway, or was');
  expect(text).toMatch(/About to be sent, or sent, at .*; no answer so far\.\n/);
  expect(text).toContain('Attempt 1 is about to be sent, or was. Without an answer it counts as unknown');
  expect((await told())[0]).toBe(SENT);
});

test('tells what became of every capture: put up for refund, given back, put before a person', async () => {
  const { gateway } = world;
  gateway.script(`card of ${subscription}`, 'decline');
  await runAfter(60 * 25);
  const first = (await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '';
  const seen = async () => {
    const answer = await gateway.lookUp(first);
    if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
    await world.advance({ minutes: 1 });
    await world.run();
  };
  gateway.land(first, 'paid');
  await seen();
  expect(await told()).toContain('imps_… was captured beside what is owed, and is put up for refund');
  expect(renderExplanation(await explained())).toMatch(/ as paid, 9900 KRW; first seen .* It is put up for refund\.\n/);
  gateway.land(first, 'cancelled');
  await seen();
  expect(await told()).toContain('imps_… was given back, or is: nothing rests on it');
  expect(renderExplanation(await explained())).toMatch(/ It is what the invoice was paid by\.\n/);
  const second = (await invoiceOf(world, subscription)).attempts[1]?.merchant_uid ?? '';
  gateway.land(second, 'cancelled');
  const answer = await gateway.lookUp(second);
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
  expect(renderExplanation(await explained())).not.toContain('waits for a person.');
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await told()).toContain('imps_… waits for a person to look at it');
});

test('tells of charges that were stopped meanwhile, by whom and why', async () => {
  const { db } = world.database;
  const moment = { seconds: 1 };
  await tick(world.scheduler);
  await world.advance(moment);
  await stopSending(db, { actor: 'cli:kim', reason: 'the shop moves house' });
  await world.advance(moment);
  await world.run();
  await world.advance(moment);
  await resumeSending(db, { actor: 'cli:lee', reason: 'moved' });
  await world.advance({ minutes: 10 });
  await world.run();
  expect(await told()).toEqual([
    'All charges were stopped: the shop moves house',
    'Attempt 1 was put off: sending is switched off',
    'Charges were let go again: moved',
    ...[SENT, ...PAID],
  ]);
  const { story } = await explained();
  expect(story.flatMap(({ who }) => (who.startsWith('cli:') ? who : []))).toEqual(['cli:kim', 'cli:lee']);
});

test('tells of a decline that turned out to be paid before its retry', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  const [post] = world.gateway.posts.filter(({ customerUid }) => customerUid === `card of ${subscription}`);
  world.gateway.land(post?.merchantUid ?? '', 'paid');
  await runAfter(60 * 25, 5);
  expect(await told()).toEqual([
    ...[SENT, 'Attempt 1 was declined: [2116]개인 월 한도금액 초과', 'The invoice is to be tried again'],
    ...['Attempt 2 was made ready', 'Attempt 2 was put off: an earlier attempt is paid: imps_… paid'],
    'Attempt 2 was withdrawn, and nothing more is sent for it: another attempt was paid after all',
    ...['Attempt 1 was paid after all', 'The invoice is paid'],
  ]);
});

test('what is said several times running is told once, with how often and until when', async () => {
  world.gateway.script(`card of ${subscription}`, 'lose');
  await runAfter(1, 2, 4, 8);
  const text = renderExplanation(await explained());
  expect(text).toContain('the gateway knows no such payment yet, 4 times until 2027-01-31 10:15:00 [');
});
