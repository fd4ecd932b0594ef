import { expect, test } from '@jest/globals';
import { findTestCard } from '../../../src/sandbox/cards.ts';
import { type Bench, HandClock, newDirectory, openBench } from '../fixture.ts';

test.each([
  'decline_funds',
  'decline_card',
  'decline_key',
  'decline_time',
  'decline_verify',
  'decline_fraud',
  'decline_config',
  'decline_other',
])('%s declines a good card in the words of its class', async (what) => {
  const bench = await openBench();
  await bench.fault(what);
  const fail_reason = findTestCard(what)?.course.failReason;
  expect(await bench.again()).toMatchObject({ code: 0, response: { status: 'failed', fail_reason } });
});

test('decline_as_error declines with code -1 and leaves a failed record', async () => {
  const bench = await openBench();
  await bench.fault('decline_as_error');
  expect(await bench.again()).toMatchObject({ status: 200, code: -1, response: null });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'failed' } });
});

test.each([
  ['flip_to_paid', 'failed'],
  ['pending_then_paid', 'ready'],
])('%s answers %s and turns paid after its delay', async (what, status) => {
  const bench = await openBench();
  await bench.fault(what, { params: { delay_ms: 86_400_000 } });
  expect(await bench.again()).toMatchObject({ code: 0, response: { status } });
  await bench.pass(86_399_999);
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status } });
  await bench.pass(1);
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
});

test('capture_late cuts the connection and captures later, at instants spread over all of its span', async () => {
  const bench = await openBench();
  await bench.fault('capture_late', { seed: 3, params: { max_ms: 100_000 } });
  for (let number = 0; number < 60; number += 1) {
    await expect(bench.again({ merchant_uid: `order-${number}` })).rejects.toThrow();
  }
  expect((await bench.get('/payments/findAll/order-0')).status).toBe(404);
  await bench.pass(100_000);
  const after = await delays(bench);
  expect(after).toHaveLength(60);
  expect(Math.max(...after)).toBeLessThanOrEqual(100_000);
  for (const from of [0, 25_000, 50_000, 75_000]) {
    expect(after.filter((ms) => from <= ms && ms <= from + 25_000).length).toBeGreaterThan(5);
  }
});

test('capture_late_hang leaves the caller without an answer and captures later', async () => {
  const bench = await openBench();
  await bench.fault('capture_late_hang', { params: { max_ms: 1_000 } });
  const left = new AbortController();
  const promised = bench.clock.awaited();
  const charge = bench.again({}, left.signal);
  await promised;
  left.abort();
  await expect(charge).rejects.toThrow();
  expect(await delays(bench)).toEqual([]);
  await bench.pass(1_000);
  expect(await delays(bench)).toHaveLength(1);
});

test('late captures of a fault come in a run that was restarted, too', async () => {
  const directory = await newDirectory();
  const clock = new HandClock();
  const before = await openBench({ directory, clock });
  await before.fault('capture_late', { params: { max_ms: 100_000 } });
  await expect(before.again()).rejects.toThrow();
  await before.sandbox.close();
  const after = await openBench({ directory, clock });
  await after.pass(100_000);
  expect(await delays(after)).toHaveLength(1);
});

test.each(['straight on', 'after a restart'])(
  'paid_then_cancelled: paid, and %s what is left is taken back by the payment company',
  async (when) => {
    const directory = await newDirectory();
    const clock = new HandClock();
    let bench = await openBench({ directory, clock });
    await bench.fault('paid_then_cancelled', { params: { delay_ms: 60_000 } });
    expect(await bench.again()).toMatchObject({ response: { status: 'paid' } });
    await bench.post('/payments/cancel', { merchant_uid: 'order-1', amount: 900 });
    if (when === 'after a restart') {
      await bench.sandbox.close();
      bench = await openBench({ directory, clock });
    }
    await bench.pass(59_999);
    expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { cancel_amount: 900 } });
    await bench.pass(1);
    expect(await bench.get('/payments/find/order-1')).toMatchObject({
      response: { status: 'cancelled', cancel_amount: 9_900, cancel_history: [{ amount: 900 }, { amount: 9_000 }] },
    });
    expect(await bench.get('/_sandbox/ledger')).toMatchObject({
      body: { data: [{ amount: 9_900 }, { amount: 900 }, { amount: 9_000, status: 'cancelled' }] },
    });
  },
);

test('a merchant_uid that is taken is refused with or without a failed record, by mode', async () => {
  for (const duplicateLeavesRecord of [false, true]) {
    const bench = await openBench({ modes: { duplicateLeavesRecord } });
    await bench.again();
    expect(await bench.again()).toMatchObject({ code: -1, response: null });
    const list = duplicateLeavesRecord ? [{ status: 'failed' }, { status: 'paid' }] : [{ status: 'paid' }];
    expect(await bench.get('/payments/findAll/order-1')).toMatchObject({ response: { list } });
  }
});

/** How long after the clock began each capture came, in ms. */
async function delays(bench: Bench): Promise<number[]> {
  const { data } = Object((await bench.get('/_sandbox/ledger')).body);
  return data.map((row: object) => Date.parse(Object(row).captured_at) - bench.clock.nowMs());
}
