import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { money } from '../../../src/billing/money.ts';
import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { patternOf, veil } from '../../../src/gateway/portone/veil.ts';
import { ALWAYS, chargeRequest, uidOf } from '../charges.ts';
import * as fake from '../fake-portone.ts';
import { handClock } from '../hand-clock.ts';

const KEY = 'canary-key-"1"';
const SECRET = 'canary/secret+2="한';
const UID = uidOf('sub-1');
const CANCEL = {
  impUid: 'imps_123456789012',
  amount: money(9_900, 'KRW'),
  checksum: money(9_900, 'KRW'),
  reason: 'a test',
};

/** A text in every form in which it might come back. */
const forms = (secret: string) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('base64url'),
];
const canaries = [KEY, SECRET, fake.TOKEN].flatMap(forms);

test.each([200, 400, 401, 404, 500])('a gateway that echoes our secrets with %i tells us nothing', async (status) => {
  const server = await fake.startFakePortOne();
  const clock = handClock();
  const gateway = createPortOne({ baseUrl: server.url, key: KEY, secret: SECRET, clock, connections: 2 });
  const echo = (headers: string) => `bad: ${headers} ${canaries.join(' ')}`;
  await gateway.ready();
  const told: unknown[] = [];
  for (const shape of ['refusal', 'payment', 'page', 'words'] as const) {
    server.on('/', (seen, response, socket) => {
      const message = echo(seen.authorization);
      const failed = fake.payment(UID, { status: 'failed', fail_reason: message, name: message, pg_tid: message });
      const bodies = {
        refusal: { code: -1, message, response: null },
        payment: { code: 0, message, response: { ...failed, customer_uid: 'card-1', card_name: message } },
        page: fake.pageBody([failed], 1),
        words: message,
      };
      fake.answer(bodies[shape], status)(seen, response, socket);
    });
    told.push(await gateway.charge(chargeRequest(), 60_000, ALWAYS), await gateway.lookUp(UID));
    told.push(await gateway.billingKey('card-1'), await gateway.ready({ refresh: true }));
    told.push(await gateway.cancel(CANCEL, 60_000, ALWAYS), await gateway.payment(CANCEL.impUid));
  }
  const everything = JSON.stringify(told);
  for (const canary of canaries) expect(everything).not.toContain(JSON.stringify(canary).slice(1, -1));
  await server.close();
  await gateway.close();
});

test('a broken connection names no secret', async () => {
  const server = await fake.startFakePortOne();
  const clock = handClock();
  const gateway = createPortOne({ baseUrl: server.url, key: KEY, secret: SECRET, clock, connections: 2 });
  await gateway.ready();
  server.on('/', (_seen, _response, socket) => socket.resetAndDestroy());
  const told = JSON.stringify([
    await gateway.charge(chargeRequest(), 60_000, ALWAYS),
    await gateway.lookUp(UID),
    await gateway.ready({ refresh: true }),
  ]);
  for (const canary of [...canaries, 'Bearer']) expect(told).not.toContain(canary);
  await server.close();
  await gateway.close();
});

test('whatever surrounds a secret, no form of it stays, however the JSON is escaped', () => {
  const escaped = (text: string) =>
    Array.from(
      { length: text.length },
      (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join('');
  fc.assert(
    fc.property(fc.string({ minLength: 8, unit: 'grapheme' }), fc.string(), fc.string(), (secret, before, after) => {
      for (const form of forms(secret)) {
        const pattern = patternOf(['not this one', secret]);
        const plain = veil(Buffer.from(JSON.stringify({ a: [before + form + after] })), pattern);
        expect(JSON.parse(Buffer.from(plain).toString()).a[0]).not.toContain(form);
        const odd = veil(Buffer.from(`{"a":"${escaped(before + form + after)}"}`), pattern);
        expect(JSON.parse(Buffer.from(odd).toString()).a).not.toContain(form);
      }
    }),
  );
});

test('a body without a secret is not touched, and what cannot be walked is emptied', () => {
  const body = Buffer.from('{ "amount" : 9900.0, "name":"구독" }');
  expect(veil(body, patternOf(['not in there', '']))).toBe(body);
  expect(veil(Buffer.from('<html>'), patternOf(['not in there']))).toHaveLength(0);
  expect(veil(Buffer.from('['.repeat(500_000)), patternOf(['not in there']))).toHaveLength(0);
});
