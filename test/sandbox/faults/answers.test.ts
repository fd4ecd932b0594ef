import { expect, test } from '@jest/globals';
import {
  arrivals,
  type Bench,
  CHARGE,
  chargeRaw,
  entriesIn,
  entriesOnce,
  newDirectory,
  number,
  openBench,
  text,
  tokenFrom,
} from '../fixture.ts';

const BEFORE = ['reset', 'rst', 'error_500', 'page_502', 'too_many_requests', 'unauthorized', 'outage'];
const AFTERWARDS = ['done_then_reset', 'done_then_rst', 'done_then_error_500', 'done_then_page_502', 'done_then_cut'];

test.each(BEFORE)('%s: nothing was charged, and a second try under the same merchant_uid is', async (what) => {
  const bench = await openBench();
  await bench.fault(what, { times: 1 });
  const charge = await chargeRaw(bench);
  charge.socket.end();
  await charge.ended;
  expect(await captures(bench)).toBe(0);
  await bench.pass(10_000);
  expect(await bench.again()).toMatchObject({ response: { status: 'paid' } });
});

test.each(AFTERWARDS)('%s: the charge was made all the same', async (what) => {
  const bench = await openBench();
  await bench.fault(what);
  const charge = await chargeRaw(bench);
  charge.socket.end();
  await charge.ended;
  expect(await captures(bench)).toBe(1);
});

test.each([
  ['reset', null],
  ['rst', 'ECONNRESET'],
  ['outage', 'ECONNRESET'],
  ['done_then_reset', null],
  ['done_then_rst', 'ECONNRESET'],
])('%s ends the connection without a byte, with the error %p', async (what, error) => {
  const bench = await openBench();
  await bench.fault(what);
  expect(await (await chargeRaw(bench)).ended).toEqual({ text: '', error });
});

test.each([
  ['hang', 'request'],
  ['done_then_hang', 'payment'],
])('%s leaves the caller waiting until it leaves, the %s written down', async (what, kind) => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  await bench.fault(what);
  const written = entriesOnce(directory, (entries) => entries.some((entry) => entry.kind === kind));
  const charge = await chargeRaw(bench);
  await written;
  const ended = entriesOnce(directory, (entries) => entries.at(-1)?.kind === 'request-ended');
  charge.socket.destroy();
  expect((await ended).at(-1)).toMatchObject({ how: 'cut', fault: what });
  expect((await charge.ended).text).toBe('');
  expect(await captures(bench)).toBe(kind === 'payment' ? 1 : 0);
});

test('unread takes the connection, reads nothing and ends it when its time is over', async () => {
  const directory = await newDirectory();
  const bench = await openBench({ directory });
  await bench.fault('unread', { params: { for_ms: 60_000 } });
  const taken = bench.clock.awaited();
  const charge = await chargeRaw(bench);
  await taken;
  await bench.pass(60_000);
  expect((await charge.ended).text).toBe('');
  expect(arrivals(await entriesIn(directory))).toBe(0);
});

test.each([
  ['error_500', 500, 'application/json', '"code":-1'],
  ['page_502', 502, 'text/html', '<html>'],
  ['too_many_requests', 429, 'application/json', '"code":-1'],
  ['unauthorized', 401, 'application/json', '"response":null'],
  ['done_then_error_500', 500, 'application/json', '"code":-1'],
  ['done_then_page_502', 502, 'text/html', '<html>'],
  ['done_then_wrong_type', 200, 'text/plain', '"status":"paid"'],
])('%s answers %i as %s', async (what, status, type, part) => {
  const bench = await openBench();
  await bench.fault(what);
  const answer = await plainCharge(bench);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain(type);
  expect(answer.headers.get('retry-after')).toBeNull();
  expect(await answer.text()).toContain(part);
});

test('too_many_requests_retry_after says when to come again', async () => {
  const bench = await openBench();
  await bench.fault('too_many_requests_retry_after', { params: { retry_after_s: 7 } });
  const answer = await plainCharge(bench);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
});

test('done_then_truncated gives half of the JSON in a whole answer', async () => {
  const bench = await openBench();
  await bench.fault('done_then_truncated');
  const answer = await plainCharge(bench);
  const body = await answer.text();
  expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  expect(() => JSON.parse(body)).toThrow();
  expect(await captures(bench)).toBe(1);
});

test('done_then_cut gives half of what it announced', async () => {
  const bench = await openBench();
  await bench.fault('done_then_cut');
  const { text: seen } = await (await chargeRaw(bench)).ended;
  const [head = '', body = ''] = seen.split('\r\n\r\n');
  expect(Buffer.byteLength(body)).toBe(Math.floor(Number(/content-length: (\d+)/i.exec(head)?.[1]) / 2));
});

test('done_then_drip gives one byte at a time', async () => {
  const bench = await openBench();
  await bench.fault('done_then_drip', { params: { every_ms: 1_000 } });
  const charge = await chargeRaw(bench);
  const bodyOf = (seen: string) => seen.split('\r\n\r\n')[1];
  expect(bodyOf(await charge.until(/\r\n\r\n./))).toBe('{');
  await bench.pass(1_000);
  expect(bodyOf(await charge.until(/\r\n\r\n../))).toBe('{"');
  await bench.pass(3_600_000);
  expect(bodyOf(await charge.until(/\r\n\r\n\{.*\}$/s))).toContain('"status":"paid"');
  charge.socket.destroy();
});

test('done_then_twice gives the whole answer a second time behind the first', async () => {
  const bench = await openBench();
  await bench.fault('done_then_twice');
  const charge = await chargeRaw(bench);
  const seen = await charge.until(/HTTP\/1\.1 200 OK.*HTTP\/1\.1 200 OK.*\}$/s);
  const bodies = seen.split(/HTTP\/1\.1 200 OK.*?\r\n\r\n/s).slice(1);
  expect(bodies[1]).toBe(bodies[0]);
  charge.socket.destroy();
  expect(await captures(bench)).toBe(1);
});

test('done_then_other_uid answers for a payment that nobody asked about', async () => {
  const bench = await openBench();
  await bench.fault('done_then_other_uid');
  await bench.fault('done_then_other_uid', { on: 'look_up' });
  const other = { merchant_uid: 'another-order', imp_uid: 'imps_000000000000', status: 'paid' };
  expect(await bench.again()).toMatchObject({ code: 0, response: other });
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({ response: { list: [other] } });
  expect(await bench.get('/_sandbox/ledger')).toMatchObject({ body: { data: [{ merchant_uid: 'order-1' }] } });
});

test('wrong_amount echoes more than was charged', async () => {
  const bench = await openBench();
  await bench.fault('wrong_amount', { params: { by: 100 } });
  await bench.fault('wrong_amount', { on: 'look_up' });
  expect(number(await bench.again(), 'amount')).toBe(10_000);
  expect(number(await bench.get('/payments/find/order-1'), 'amount')).toBe(9_901);
  expect(await bench.get('/_sandbox/ledger')).toMatchObject({ body: { data: [{ amount: 9_900 }] } });
});

test('slow serves later', async () => {
  const bench = await openBench();
  await bench.fault('slow', { params: { ms: 5_000 } });
  const waiting = bench.clock.awaited();
  const answer = bench.again();
  await waiting;
  expect(await captures(bench)).toBe(0);
  await bench.pass(5_000);
  expect(await answer).toMatchObject({ response: { status: 'paid', started_at: bench.clock.nowMs() / 1_000 + 5 } });
});

test('outage resets every call while it lasts, whatever the fault was asked on', async () => {
  const bench = await openBench();
  const authorization = await tokenFrom(bench.url);
  await bench.fault('outage', { times: 1, match: { customer_uid: 'card-1' }, params: { for_ms: 10_000 } });
  const lookUp = () => fetch(`${bench.url}/payments/status/all`, { headers: { authorization } });
  expect((await lookUp()).status).toBe(200);
  await expect(plainCharge(bench)).rejects.toThrow();
  await expect(lookUp()).rejects.toThrow();
  await expect(tokenFrom(bench.url)).rejects.toThrow();
  await bench.pass(9_999);
  await expect(lookUp()).rejects.toThrow();
  await bench.pass(1);
  expect((await lookUp()).status).toBe(200);
  expect(await fired(bench)).toBe(1);
});

test('unauthorized_storm refuses every token while it lasts, and goes on giving them', async () => {
  const bench = await openBench();
  await bench.fault('unauthorized_storm', { times: 1, params: { for_ms: 10_000 } });
  expect((await bench.again()).status).toBe(401);
  expect((await bench.get('/payments/status/all')).status).toBe(401);
  await bench.pass(10_000);
  expect((await bench.again()).status).toBe(200);
});

test('a fault on cancel gives the money back and loses the answer', async () => {
  const bench = await openBench();
  const imp_uid = text(await bench.again(), 'imp_uid');
  await bench.fault('done_then_reset', { on: 'cancel' });
  await expect(bench.post('/payments/cancel', { imp_uid })).rejects.toThrow();
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'cancelled' } });
});

async function plainCharge({ url }: Bench): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: await tokenFrom(url) };
  return fetch(`${url}/subscribe/payments/again`, { method: 'POST', headers, body: JSON.stringify(CHARGE) });
}

async function captures(bench: Bench): Promise<number> {
  return Object((await bench.get('/_sandbox/ledger')).body).data.length;
}

async function fired(bench: Bench): Promise<number> {
  return Object((await bench.get('/_sandbox/faults')).body).data[0].fired;
}
