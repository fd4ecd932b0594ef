import { afterEach, expect, test } from '@jest/globals';
import { startSandbox, type TestSandbox, virtualClock } from '../../src/testing.ts';
import { tokenFrom } from '../sandbox/fixture.ts';

let sandbox: TestSandbox;
afterEach(() => sandbox.close());

test('a card is stored and charged, and the ledger shows it', async () => {
  sandbox = await startSandbox();
  await sandbox.setCard('card/1', 'approve');
  expect(await charge('card/1')).toMatchObject({ response: { status: 'paid' } });
  expect(await sandbox.ledger()).toMatchObject([
    { merchant_uid: 'order-1', customer_uid: 'card/1', amount: 9_900, currency: 'KRW', status: 'paid' },
  ]);
});

test('a card that is none is named', async () => {
  sandbox = await startSandbox();
  await expect(sandbox.setCard('card-1', 'platinum')).rejects.toThrow("'platinum' is not a test card");
});

test('a fault strikes as it was asked for', async () => {
  sandbox = await startSandbox();
  await sandbox.setCard('card-1', 'approve');
  await sandbox.setFault({ on: 'again', what: 'error_500', times: 1 });
  expect(await charge('card-1')).toMatchObject({ code: expect.any(Number), response: null });
  expect(await sandbox.ledger()).toEqual([]);
});

test('what lands later lands when the clock is moved', async () => {
  const clock = virtualClock('2027-01-31T10:00:00+09:00');
  sandbox = await startSandbox({ clock });
  await sandbox.setCard('card-1', 'pending_then_paid');
  expect(await charge('card-1')).toMatchObject({ response: { status: 'ready' } });
  expect(await sandbox.ledger()).toEqual([]);
  clock.advance(3_600_000);
  expect(await sandbox.ledger()).toMatchObject([
    { status: 'paid', captured_at: expect.stringMatching(/^2027-01-31T01:/) },
  ]);
});

async function charge(customerUid: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: await tokenFrom(sandbox.url) };
  const body = JSON.stringify({ customer_uid: customerUid, merchant_uid: 'order-1', amount: 9_900, name: '월 구독' });
  const answer = await fetch(`${sandbox.url}/subscribe/payments/again`, { method: 'POST', headers, body });
  return answer.json();
}
