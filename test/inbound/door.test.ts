import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WEBHOOK_PATH } from '../../src/inbound/webhook-route.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';
import { type Door, openDoor } from './door.ts';

let world: World;
let door: Door;
let uid: string;
beforeEach(async () => {
  world = await newWorld();
  door = await openDoor(world);
  const subscription = await world.subscribe();
  await world.run();
  uid = (await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '';
});
afterEach(async () => {
  await door.app.close();
  await world.end();
});

const post = (payload: string | Buffer, type: string) =>
  door.app.inject({ method: 'POST', url: WEBHOOK_PATH, payload, headers: { 'content-type': type } });

test.each([
  ['application/json', () => JSON.stringify({ imp_uid: 'imps_1', merchant_uid: uid, status: 'paid' })],
  ['application/json; charset=utf-8', () => JSON.stringify({ imp_uid: 'imps_1', merchant_uid: uid, status: 'paid' })],
  ['application/x-www-form-urlencoded', () => `imp_uid=imps_1&merchant_uid=${uid}&status=paid`],
])('a webhook as %s is answered 200 once it is stored as it came', async (type, body) => {
  expect((await post(body(), type)).statusCode).toBe(200);
  expect(await door.hints()).toMatchObject([
    { merchant_uid: uid, imp_uid: 'imps_1', status: 'paid', raw: body(), source: '127.0.0.1', handled_at: null },
  ]);
});

test.each([
  ['a body of more than 8 KB', 413, `{"merchant_uid":"${'x'.repeat(8_192)}"}`, 'application/json'],
  ['another content type', 415, '<paid/>', 'application/xml'],
  ['a body that is no JSON', 400, '{"merchant_uid":', 'application/json'],
  ['JSON that is no object', 400, '["paid"]', 'application/json'],
])('%s is answered %i, and nothing is stored', async (_, status, body, type) => {
  const answer = await post(body, type);
  expect(status === 400 ? answer.statusCode >= 400 : answer.statusCode === status).toBe(true);
  expect(await door.hints()).toEqual([]);
});

test.each([
  ['a path', { imp_uid: '../../x', merchant_uid: '../../../payments' }],
  ['half a letter', { imp_uid: '\ud800', merchant_uid: '\u0000' }],
  ['an object', { imp_uid: { $ne: null }, merchant_uid: ['a'], __proto__: { merchant_uid: 'x' } }],
  ['a name of a prototype', { merchant_uid: '__proto__', constructor: { prototype: {} } }],
  ['SQL', { merchant_uid: "'; DROP TABLE hint; --" }],
  ['4 KB', { merchant_uid: 'x'.repeat(4_000) }],
  ['nothing', {}],
])('%s in place of an id rings for nothing', async (_, body) => {
  expect((await post(JSON.stringify(body), 'application/json')).statusCode).toBe(200);
  expect(await door.follow()).toBe(0);
  expect(door.lookUps).toEqual([]);
  expect(await door.hints()).toMatchObject([{ is_ours: false }]);
});

test('what names no payment of ours is never looked up, and takes a hundred rows at most', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => door.say({ merchant_uid: `another-shop-${index}` }));
  expect(new Set((await Promise.all(many)).map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  await door.follow();
  expect(door.lookUps).toEqual([]);
  expect((await door.hints()).length).toBeLessThanOrEqual(100);
  const before = await door.hints();
  await door.say({ merchant_uid: 'another-shop-1', status: 'paid' }); // its place is kept for ten seconds
  expect(await door.hints()).toEqual(before);
});

test('a payment is looked up once in ten seconds, however often and by however many processes it is heard of', async () => {
  const other = await openDoor(world);
  for (let second = 0; second < 25; second += 1) {
    await Promise.all(
      [...Array(20)].flatMap(() => [door.say({ merchant_uid: uid }), other.say({ merchant_uid: uid })]),
    );
    await Promise.all([door.follow(), other.follow()]);
    await world.advance({ seconds: 1 });
  }
  await other.app.close();
  expect([...door.lookUps, ...other.lookUps]).toEqual([uid, uid, uid]);
  expect(await door.hints()).toHaveLength(1);
});

test('what is heard while its look-up is on the way is looked up again, ten seconds after that one', async () => {
  const { lookUp } = door.deps;
  await door.say({ merchant_uid: uid });
  Object.assign(door.deps, {
    lookUp: async (asked: string) => {
      const answer = await lookUp(asked);
      if (door.lookUps.length === 1) await door.say({ merchant_uid: uid, status: 'cancelled' });
      return answer;
    },
  });
  await door.follow();
  await door.follow();
  expect(door.lookUps).toHaveLength(1);
  await world.advance({ seconds: 10 });
  await door.follow();
  expect(door.lookUps).toHaveLength(2);
  expect(await door.hints()).toMatchObject([{ look_at: null, handled_at: world.now.toJSDate() }]);
});

test('while the gateway does not answer it is asked ever more rarely, and in the end no more', async () => {
  world.gateway.lookUps = 'unclear';
  await door.say({ merchant_uid: uid });
  for (let minute = 0; minute < 600; minute += 1) {
    await door.follow();
    await world.advance({ minutes: 1 });
  }
  expect(door.lookUps).toHaveLength(24);
  expect(await door.hints()).toMatchObject([{ look_at: null }]);
});

test.each(['hints.taken', 'hint.observed'] as const)('a crash at %s costs ten seconds, and no hint', async (point) => {
  await door.say({ merchant_uid: uid });
  Object.assign(door.deps, {
    failpoints: {
      at: async (name: string) => {
        if (name === point) throw new Error('crash');
      },
    },
  });
  await expect(door.follow()).rejects.toThrow('crash');
  const next = await openDoor(world);
  expect(await next.follow()).toBe(0);
  await world.advance({ seconds: 20 });
  expect(await next.follow()).toBe(1);
  expect(await door.hints()).toMatchObject([{ look_at: null }]);
  await next.app.close();
});

test('a hint is forgotten a month after it was done with', async () => {
  await door.say({ merchant_uid: uid });
  await door.follow();
  await world.advance({ days: 29 });
  await door.follow();
  expect(await door.hints()).toHaveLength(1);
  await world.advance({ days: 1 });
  await door.follow();
  expect(await door.hints()).toEqual([]);
});

test('a webhook that cannot be stored is not answered 200, so that it comes again', async () => {
  await world.database.db.$executeRaw`ALTER TABLE hint RENAME TO elsewhere`;
  expect((await door.say({ merchant_uid: uid })).statusCode).toBe(500);
  await world.database.db.$executeRaw`ALTER TABLE elsewhere RENAME TO hint`;
  expect((await door.say({ merchant_uid: uid })).statusCode).toBe(200);
});

test("in a database that turned out to be another installation's, webhooks are sent away, and nothing is written or looked up", async () => {
  const { db } = world.database;
  await door.say({ merchant_uid: uid });
  await db.$executeRaw`UPDATE control SET fingerprint = 'another one'`;
  await db.$executeRaw`UPDATE hint SET handled_at = maedal_now() - interval '31 days' WHERE handled_at IS NOT NULL`;
  const before = await door.hints();
  expect((await door.say({ merchant_uid: uid })).statusCode).toBe(503);
  expect((await door.say({ merchant_uid: 'another-shop' })).statusCode).toBe(503);
  expect(await door.follow()).toBe(0);
  expect(await door.hints()).toEqual(before);
  await db.$executeRaw`UPDATE control SET fingerprint = NULL`; // nobody adopted it yet
  expect((await door.say({ merchant_uid: 'another-shop' })).statusCode).toBe(200);
  expect(await door.follow()).toBe(1);
});
