import { expect, test } from '@jest/globals';
import { type Bench, entriesIn, newDirectory, openBench } from './fixture.ts';

const DATA = '{"subscription":"sub-1","period":"2027-01-31"}';

test('Recovery charges a declined payment again, under a merchant_uid of its own, all else as it was', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  const of = await declined(bench, 'card-2', 'order-1');
  const { body } = await bench.post('/_sandbox/recovery', { customer_uid: 'card-2', card: 'approve' });
  const merchant_uid = Object(body).data[0].merchant_uid;
  expect(body).toMatchObject({ data: [{ of, customer_uid: 'card-2', status: 'paid' }], next_cursor: null });
  expect(merchant_uid).toMatch(/^recovery_\d{12}$/);
  const capture = { merchant_uid, customer_uid: 'card-2', amount: 9_900, currency: 'KRW', custom_data: DATA };
  expect((await bench.get('/_sandbox/ledger')).body).toMatchObject({ data: [capture] });
  expect(await bench.get('/subscribe/customers/card-2/payments')).toMatchObject({
    response: {
      list: [
        { merchant_uid, status: 'paid' },
        { merchant_uid: 'order-1', status: 'failed' },
      ],
    },
  });
  expect(await bench.get('/payments/status/paid')).toMatchObject({ response: { list: [{ merchant_uid }] } });
  expect((await entriesIn(directory)).at(-1)).toMatchObject({ payment: { cause: { by: 'recovery', of } } });
});

test('Recovery goes by the present key: what is declined again rolls over, what was paid is left alone', async () => {
  const bench = await openBench();
  await declined(bench, 'card-2', 'order-1');
  expect(await recovered(bench, {})).toEqual(['failed']);
  expect(await recovered(bench, {})).toEqual(['failed']);
  await bench.store('card-2', 'approve');
  expect(await recovered(bench, {})).toEqual(['paid']);
  expect(await recovered(bench, {})).toEqual([]);
});

test('Recovery leaves alone what was paid under the same merchant_uid, other customers, and lost keys', async () => {
  const bench = await openBench();
  await declined(bench, 'card-2', 'order-1');
  await bench.again({ merchant_uid: 'order-1' });
  expect(await recovered(bench, { card: 'approve' })).toEqual([]);
  await declined(bench, 'card-2', 'order-2');
  expect(await recovered(bench, { customer_uid: 'card-1', card: 'approve' })).toEqual([]);
  expect(await recovered(bench, { merchant_uid: 'order-3', card: 'approve' })).toEqual([]);
  await bench.delete('/subscribe/customers/card-2');
  expect(await recovered(bench, { card: 'approve' })).toEqual([]);
});

test('Recovery refuses a card that is no test card', async () => {
  const bench = await openBench();
  expect(await bench.post('/_sandbox/recovery', { card: 'gold' })).toMatchObject({ status: 400 });
});

test('S17 by mode Recovery comes every day at its hour in Korea, for what was declined before that day', async () => {
  const bench = await openBench({ modes: { recoveryHour: 11 } }); // the clock begins at 10:00 in Korea
  await declined(bench, 'card-2', 'order-1');
  await bench.store('card-2', 'approve');
  await bench.pass(3_600_000);
  expect((await bench.get('/_sandbox/ledger')).body).toMatchObject({ data: [] });
  await bench.pass(86_400_000);
  expect((await bench.get('/_sandbox/ledger')).body).toMatchObject({
    data: [{ customer_uid: 'card-2', captured_at: '2027-02-01T02:00:00.000Z' }],
  });
  await declined(bench, 'card-3', 'order-2');
  await bench.store('card-3', 'approve');
  await bench.pass(3 * 86_400_000);
  expect((await bench.get('/_sandbox/ledger')).body).toMatchObject({ data: [{}, { customer_uid: 'card-3' }] });
});

async function declined(bench: Bench, customerUid: string, merchantUid: string): Promise<unknown> {
  await bench.store(customerUid, 'decline_funds');
  const fields = { customer_uid: customerUid, merchant_uid: merchantUid, custom_data: DATA };
  return Object((await bench.again(fields)).response).imp_uid;
}

async function recovered(bench: Bench, ask: Readonly<Record<string, unknown>>): Promise<unknown[]> {
  const { data } = Object((await bench.post('/_sandbox/recovery', ask)).body);
  return data.map((row: object) => Object(row).status);
}
