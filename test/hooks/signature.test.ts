import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { systemClock } from '../../src/clock.ts';
import { sign } from '../../src/hooks/signature.ts';

const NEW = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const BODY = '{"name":"월 구독 ₩9,900","note":"\\u2028 \\" "}';
const now = () => new Date(systemClock.nowMs());
const signed = (secrets: readonly [string, ...string[]], at = now()) => sign(secrets, { id: 'evt-1', at, body: BODY });

test.each([
  ['the new secret', NEW],
  ['the old one, while it is being replaced', OLD],
])("the scheme's own library verifies with %s", (_, secret) => {
  expect(new Webhook(secret).verify(BODY, { ...signed([NEW, OLD]) })).toEqual(JSON.parse(BODY));
});

test('an old secret that signs no more is refused', () => {
  expect(() => new Webhook(OLD).verify(BODY, { ...signed([NEW]) })).toThrow(WebhookVerificationError);
});

test.each([
  ['another body', BODY.replace('9,900', '99')],
  ['the same JSON, written anew', JSON.stringify(JSON.parse(BODY), null, 1)],
])('%s is refused', (_, body) => {
  expect(() => new Webhook(NEW).verify(body, { ...signed([NEW]) })).toThrow(WebhookVerificationError);
});

test('a receiver that holds to five minutes refuses what is older', () => {
  const early = new Date(systemClock.nowMs() - 301_000);
  expect(() => new Webhook(NEW).verify(BODY, { ...signed([NEW], early) })).toThrow('too old');
});

test("the signature is what the scheme's text says, computed from raw bytes without a library", () => {
  const headers = signed([NEW, OLD], new Date('2027-01-31T01:00:00.999Z'));
  expect(headers['webhook-timestamp']).toBe('1801357200');
  const bytes = Buffer.concat([Buffer.from('evt-1.1801357200.', 'ascii'), Buffer.from(BODY, 'utf8')]);
  const of = (key: Buffer) => `v1,${createHmac('sha256', key).update(bytes).digest('base64')}`;
  expect(headers['webhook-signature']).toBe(`${of(Buffer.alloc(32, 7))} ${of(Buffer.alloc(24, 9))}`);
});

test('a secret may be text as well: its bytes are the key', () => {
  const secret = 'a secret of plain characters';
  const headers = signed([secret]);
  expect(new Webhook(secret, { format: 'raw' }).verify(BODY, { ...headers })).toEqual(JSON.parse(BODY));
});
