import { expect, test } from '@jest/globals';
import { FAULT_KINDS, FAULT_PLACES } from '../../../src/sandbox/faults/catalogue.ts';
import { type Bench, newDirectory, openBench } from '../fixture.ts';

const PLAIN = { on: 'again', what: 'decline_funds', rate: 1, times: null, seed: 1, match: {}, params: {} };

test('a fault is told as it was asked for, its defaults filled in, with how often it matched and fired', async () => {
  const bench = await openBench();
  const asked = { id: 'late', on: 'again', what: 'capture_late', match: { merchant_uid: 'order-' } };
  const row = { ...asked, rate: 1, times: null, seed: 1, params: { max_ms: 3_000 } };
  const fresh = { data: [{ ...row, matched: 0, fired: 0 }], next_cursor: null };
  expect((await bench.post('/_sandbox/faults', asked)).body).toEqual(fresh);
  expect((await bench.get('/_sandbox/faults')).body).toEqual(fresh);
  await expect(bench.again()).rejects.toThrow();
  await bench.again({ merchant_uid: 'other' });
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({ data: [{ matched: 1, fired: 1 }] });
});

test('many faults are asked for at once, or none when one of them is bad', async () => {
  const bench = await openBench();
  const good = { on: 'again', what: 'hang' };
  const bad = await bench.post('/_sandbox/faults', { faults: [good, { on: 'again', what: 'lag' }] });
  expect(bad).toMatchObject({ status: 400, message: "faults[1]: 'lag' is a fault on look_up, not on 'again'" });
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({ data: [] });
  await bench.post('/_sandbox/faults', { faults: [good, good] });
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({ data: [{ id: 'fault-1' }, { id: 'fault-2' }] });
});

test('one fault is taken back, or all of them', async () => {
  const bench = await openBench();
  for (const id of ['a', 'b', 'c']) await bench.fault('decline_funds', { id });
  expect((await bench.delete('/_sandbox/faults/b')).body).toMatchObject({ data: [{ id: 'b' }] });
  expect((await bench.delete('/_sandbox/faults/b')).status).toBe(404);
  expect((await bench.delete('/_sandbox/faults')).body).toMatchObject({ data: [{ id: 'a' }, { id: 'c' }] });
  expect(await bench.again()).toMatchObject({ response: { status: 'paid' } });
});

test.each([
  [{ on: 'again', what: 'gremlin' }, /what 'gremlin' is not a fault; use one of reset, rst, .*slow/],
  [{ on: 'again' }, /what '' is not a fault/],
  [{ on: 'everywhere', what: 'reset' }, /on 'everywhere' is not one of again, look_up, token, cancel, customers, any/],
  [{ on: 'token', what: 'capture_late' }, /'capture_late' is a fault on again, not on 'token'/],
  [{ ...PLAIN, params: { max_ms: 1 } }, /'max_ms' is not a param of 'decline_funds'; it takes none/],
  [{ on: 'again', what: 'slow', params: { mx: 1 } }, /'mx' is not a param of 'slow'; use ms/],
  [{ on: 'again', what: 'slow', params: { ms: 'soon' } }, /params: ms 'soon' is not a number/],
  [{ ...PLAIN, rate: 1.5 }, /rate '1.5' is not a number from 0 to 1/],
  [{ ...PLAIN, rate: 'often' }, /rate 'often'/],
  [{ ...PLAIN, times: 0 }, /times '0'/],
  [{ ...PLAIN, seed: 0.5 }, /seed 0.5 is not a whole number/],
  [{ ...PLAIN, match: { imp_uid: 'x' } }, /'imp_uid' is nothing to match by; use customer_uid, merchant_uid, card/],
  [{ ...PLAIN, match: { card: 'gold' } }, /match.card 'gold' is not a test card/],
  [{ ...PLAIN, rat: 1 }, /'rat' is not a field of a fault/],
  [{ on: 'any', what: 'unread', match: { card: 'approve' } }, /match cannot be asked of 'unread'/],
])('%j is refused, naming what is wrong', async (fault, message) => {
  const bench = await openBench();
  const answer = await bench.post('/_sandbox/faults', fault);
  expect(answer).toMatchObject({ status: 400, code: -1, message: expect.stringMatching(message) });
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({ data: [] });
});

test('two faults cannot have one id', async () => {
  const bench = await openBench();
  await bench.fault('hang', { id: 'a' });
  const answer = await bench.post('/_sandbox/faults', { ...PLAIN, id: 'a' });
  expect(answer).toMatchObject({ status: 400, message: "there is a fault 'a' already" });
});

test('every kind is taken on every place that it names, and on no other', async () => {
  const bench = await openBench();
  for (const [what, { on }] of FAULT_KINDS) {
    for (const place of FAULT_PLACES) {
      const { status } = await bench.post('/_sandbox/faults', { what, on: place });
      expect([what, place, status]).toEqual([what, place, on.includes(place) ? 200 : 400]);
    }
  }
});

test('the same seed and the same order of requests give the same faults, another seed others', async () => {
  const patterns = await Promise.all([7, 7, 8].map((seed) => patternOf(seed, 'order-')));
  expect(patterns[1]).toEqual(patterns[0]);
  expect(patterns[2]).not.toEqual(patterns[0]);
  const hits = patterns[0]?.filter((status) => status === 'failed').length ?? 0;
  expect(hits).toBeGreaterThan(10);
  expect(hits).toBeLessThan(30);
});

test('a request that does not match, and a fault before it that hits another, draw nothing from the generator', async () => {
  const pattern = await patternOf(7, 'order-');
  const bench = await openBench();
  await bench.fault('decline_card', { match: { merchant_uid: 'first-' } });
  await bench.fault('decline_funds', { rate: 0.5, seed: 7 });
  expect(await charges(bench, 40, async () => void (await bench.again({ merchant_uid: `first-${next()}` })))).toEqual(
    pattern,
  );
});

test('one fault strikes a request: the first that matches and hits', async () => {
  const bench = await openBench();
  await bench.fault('decline_card', { match: { customer_uid: 'card-2' } });
  await bench.fault('decline_key', { rate: 0 });
  await bench.fault('decline_fraud');
  await bench.fault('decline_time');
  expect(await bench.again()).toMatchObject({ response: { fail_reason: expect.stringContaining('[FS01]') } });
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({
    data: [
      { matched: 0, fired: 0 },
      { matched: 1, fired: 0 },
      { matched: 1, fired: 1 },
      { matched: 0, fired: 0 },
    ],
  });
});

test('times bounds how often a fault fires', async () => {
  const bench = await openBench();
  await bench.fault('decline_funds', { times: 2 });
  expect(await charges(bench, 4)).toEqual(['failed', 'failed', 'paid', 'paid']);
  expect((await bench.get('/_sandbox/faults')).body).toMatchObject({ data: [{ matched: 4, fired: 2 }] });
});

test.each([
  [{ customer_uid: 'card-' }, ['failed', 'failed', 'paid']],
  [{ merchant_uid: 'order-2' }, ['paid', 'failed', 'paid']],
  [{ card: 'pending_then_paid' }, ['paid', 'failed', 'paid']],
  [{ customer_uid: 'card-', card: 'approve' }, ['failed', 'ready', 'paid']],
])('match %j selects by the start of an id, or by the test card', async (match, statuses) => {
  const bench = await openBench();
  await bench.store('card-2', 'pending_then_paid');
  await bench.store('other', 'approve');
  await bench.fault('decline_funds', { match });
  const answers = [
    await bench.again(),
    await bench.again({ customer_uid: 'card-2', merchant_uid: 'order-2' }),
    await bench.again({ customer_uid: 'other', merchant_uid: 'order-3' }),
  ];
  expect(answers.map(({ response }) => Object(response).status)).toEqual(statuses);
});

test('a look-up and a cancel are matched by the payment that they name', async () => {
  const bench = await openBench();
  const impUid = Object((await bench.again()).response).imp_uid;
  await bench.again({ merchant_uid: 'order-2' });
  const match = { merchant_uid: 'order-1', customer_uid: 'card-1', card: 'approve' };
  await bench.fault('error_500', { on: 'look_up', match });
  await bench.fault('error_500', { on: 'cancel', match: { customer_uid: 'card-1', merchant_uid: 'order-1' } });
  const struck = [
    '/payments/find/order-1',
    '/payments/findAll/order-1',
    `/payments/${impUid}?include_sandbox=true`,
    `/payments?imp_uid[]=${impUid}`,
    '/payments?merchant_uid[]=order-1',
  ];
  for (const path of struck) expect([path, (await bench.get(path)).status]).toEqual([path, 500]);
  expect((await bench.get('/payments/findAll/order-2')).status).toBe(200);
  expect((await bench.post('/payments/cancel', { imp_uid: impUid })).status).toBe(500);
  expect((await bench.post('/payments/cancel', { merchant_uid: 'order-2' })).status).toBe(200);
});

test.each([
  ['again', { again: 500, look_up: 200, token: 200, cancel: 200, customers: 200 }],
  ['look_up', { again: 200, look_up: 500, token: 200, cancel: 200, customers: 200 }],
  ['cancel', { again: 200, look_up: 200, token: 200, cancel: 500, customers: 200 }],
  ['customers', { again: 200, look_up: 200, token: 200, cancel: 200, customers: 500 }],
])('a fault on %s strikes those calls alone, and never the control plane', async (on, statuses) => {
  const bench = await openBench();
  await bench.fault('error_500', { on });
  expect({
    again: (await bench.again()).status,
    look_up: (await bench.get('/payments/status/all')).status,
    token: (await bench.post('/users/getToken', { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' })).status,
    cancel: (await bench.post('/payments/cancel', {})).status,
    customers: (await bench.get('/subscribe/customers/card-1')).status,
  }).toEqual(statuses);
  expect((await bench.get('/_sandbox/clock')).status).toBe(200);
});

test('faults do not survive a restart', async () => {
  const directory = await newDirectory();
  const before = await openBench({ directory });
  await before.fault('hang');
  await before.sandbox.close();
  const after = await openBench({ directory });
  expect((await after.get('/_sandbox/faults')).body).toMatchObject({ data: [] });
});

let last = 0;

function next(): number {
  last += 1;
  return last;
}

/** How forty charges end under a fault that hits every second one. */
async function patternOf(seed: number, prefix: string): Promise<unknown[]> {
  const bench = await openBench();
  await bench.fault('decline_funds', { rate: 0.5, seed, match: { merchant_uid: prefix } });
  return charges(bench, 40);
}

async function charges(bench: Bench, count: number, between = () => Promise.resolve()): Promise<unknown[]> {
  const statuses: unknown[] = [];
  for (let number = 0; number < count; number += 1) {
    statuses.push(Object((await bench.again({ merchant_uid: `order-${number}` })).response).status);
    await between();
  }
  return statuses;
}
