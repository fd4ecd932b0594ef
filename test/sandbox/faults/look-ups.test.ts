import { expect, test } from '@jest/globals';
import { FAULT_KINDS } from '../../../src/sandbox/faults/catalogue.ts';
import { repositoryFiles } from '../../support/repository.ts';
import { type Bench, CHARGE, call, openBench, text, tokenFrom } from '../fixture.ts';

const KEY_PAIR = { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' };

test('lag: a capture is not shown anywhere until its time has passed', async () => {
  const bench = await openBench();
  const impUid = text(await bench.again(), 'imp_uid');
  await bench.fault('lag', { on: 'look_up', params: { lag_ms: 5_000 } });
  const paths = [
    '/payments/findAll/order-1',
    '/payments/find/order-1',
    `/payments/${impUid}?include_sandbox=true`,
    `/payments?imp_uid[]=${impUid}`,
    '/payments?merchant_uid[]=order-1',
  ];
  await bench.pass(4_999);
  for (const path of paths) expect([path, (await bench.get(path)).status]).toEqual([path, 404]);
  expect(await bench.get('/payments/status/paid')).toMatchObject({ response: { total: 0 } });
  expect(await bench.get('/subscribe/customers/card-1/payments')).toMatchObject({ response: { total: 0 } });
  await bench.pass(1);
  for (const path of paths) expect([path, (await bench.get(path)).status]).toEqual([path, 200]);
  expect(await bench.get('/payments/status/paid')).toMatchObject({ response: { total: 1 } });
});

test('lag: a record that a capture changed is shown as it was', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'flip_to_paid');
  await bench.again();
  await bench.pass(3_000);
  await bench.fault('lag', { on: 'look_up', params: { lag_ms: 5_000 } });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'failed', paid_at: 0 } });
  expect(await bench.get('/payments/status/failed')).toMatchObject({ response: { total: 1 } });
  await bench.pass(5_000);
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
});

test('not_found lies: neither the payment nor the key is there', async () => {
  const bench = await openBench();
  await bench.again();
  await bench.fault('not_found', { on: 'look_up' });
  await bench.fault('not_found', { on: 'customers' });
  const missing = { status: 404, code: -1, message: '존재하지 않는 결제정보입니다.', response: null };
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject(missing);
  expect(await bench.get('/subscribe/customers/card-1')).toMatchObject({ status: 200, code: 1, response: null });
});

test.each(['error_500', 'page_502'])('%s strikes look-ups too', async (what) => {
  const bench = await openBench();
  await bench.fault(what, { on: 'look_up' });
  const answer = await fetch(`${bench.url}/payments/findAll/order-1`, {
    headers: { authorization: await tokenFrom(bench.url) },
  });
  expect(answer.status).toBe(what === 'error_500' ? 500 : 502);
});

test('wrong_order lists the oldest first where the newest was asked for', async () => {
  const bench = await failThenPay();
  await bench.fault('wrong_order', { on: 'look_up' });
  const list = [{ status: 'failed' }, { status: 'paid' }];
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({ response: { list } });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'failed' } });
});

test('page_2_only ignores the page size and shows what is paid on page 2', async () => {
  const bench = await failThenPay();
  await bench.fault('page_2_only', { on: 'look_up' });
  expect(await bench.get('/payments/findAll/order-1?limit=100')).toMatchObject({
    response: { total: 2, previous: 0, next: 2, list: [{ status: 'failed' }] },
  });
  expect(await bench.get('/payments/findAll/order-1?limit=100&page=2')).toMatchObject({
    response: { total: 2, previous: 1, next: 0, list: [{ status: 'paid' }] },
  });
});

test('other_account shows empty lists, and nothing else', async () => {
  const bench = await openBench();
  await bench.again();
  await bench.fault('other_account', { on: 'look_up' });
  const empty = { status: 200, code: 0, response: { total: 0, previous: 0, next: 0, list: [] } };
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject(empty);
  expect(await bench.get('/payments/status/paid')).toMatchObject(empty);
  expect((await bench.get('/payments/find/order-1')).status).toBe(404);
});

test('sandbox_hidden hides test payments everywhere, and live ones nowhere', async () => {
  for (const liveChannel of [false, true]) {
    const bench = await openBench({ modes: { liveChannel } });
    await bench.again();
    await bench.fault('sandbox_hidden', { on: 'look_up' });
    expect((await bench.get('/payments/findAll/order-1')).status).toBe(liveChannel ? 200 : 404);
    expect(await bench.get('/payments/status/all')).toMatchObject({ response: { total: liveChannel ? 1 : 0 } });
  }
});

test('expired_early: a token dies before its time, and the next one is new', async () => {
  const bench = await openBench();
  await bench.fault('expired_early', { on: 'token', times: 1, params: { after_ms: 60_000 } });
  const first = await tokenFrom(bench.url);
  expect(await statusWith(bench, first)).toBe(200);
  expect(await tokenFrom(bench.url)).toBe(first);
  await bench.pass(60_000);
  expect(await statusWith(bench, first)).toBe(401);
  const second = await tokenFrom(bench.url);
  expect(second).not.toBe(first);
  expect(await statusWith(bench, second)).toBe(200);
});

test('same_token: a dead token is given again', async () => {
  const bench = await openBench();
  await bench.fault('expired_early', { on: 'token', times: 1 });
  await bench.fault('same_token', { on: 'token', times: 2 });
  const first = await tokenFrom(bench.url);
  expect(await tokenFrom(bench.url)).toBe(first);
  expect(await tokenFrom(bench.url)).toBe(first);
  expect(await statusWith(bench, first)).toBe(401);
  expect(await statusWith(bench, await tokenFrom(bench.url))).toBe(200);
});

test('tokens are refused, or come late', async () => {
  const bench = await openBench();
  await bench.fault('unauthorized', { on: 'token', times: 1 });
  expect((await bench.post('/users/getToken', KEY_PAIR)).status).toBe(401);
  await bench.fault('slow', { on: 'token', params: { ms: 2_000 } });
  const waiting = bench.clock.awaited();
  const token = tokenFrom(bench.url);
  await waiting;
  await bench.pass(2_000);
  expect(await statusWith(bench, await token)).toBe(200);
});

test('every kind of fault is named by a test', () => {
  const tests = repositoryFiles().filter(({ path }) => /^test\/sandbox\/(webhooks|faults\/(?!asking))/.test(path));
  const names = [...FAULT_KINDS.keys()].filter((name) => !tests.some(({ text: source }) => source.includes(name)));
  expect(names).toEqual([]);
});

async function failThenPay(): Promise<Bench> {
  const bench = await openBench();
  await bench.store('card-1', 'funds_then_approve');
  await bench.again();
  await bench.again();
  return bench;
}

async function statusWith(bench: Bench, authorization: string): Promise<number> {
  const headers = { authorization, 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ ...CHARGE, customer_uid: 'nobody' }) };
  return (await call(`${bench.url}/subscribe/payments/again`, init)).status;
}
