import { expect, test } from '@jest/globals';
import { type Bench, openBench } from './fixture.ts';

const START_S = Date.UTC(2027, 0, 31, 1) / 1_000;

test('thousands of payments are read page by page, each once, in any order and window', async () => {
  const bench = await openBench();
  await bench.store('broke', 'decline_funds');
  const hours = 25;
  for (let hour = 0; hour < hours; hour += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => charge(bench, hour * 100 + index)));
    await bench.pass(3_600_000);
  }
  const paid = uidsWhere(2_500, (number) => number % 5 !== 0);
  for (const query of ['', '&sorting=started', '&sorting=-paid', '&sorting=updated']) {
    const pages = await pagesOf(bench, `/payments/status/paid?limit=300${query}`);
    expect(pages.map((page) => page.length)).toEqual([300, 300, 300, 300, 300, 300, 200]);
    expect(pages.flat().sort()).toEqual(paid);
  }
  expect((await pagesOf(bench, '/payments/status/all?limit=1000')).flat()).toHaveLength(2_500);
  expect((await pagesOf(bench, '/payments/status/failed?limit=1000')).flat().sort()).toEqual(
    uidsWhere(2_500, (number) => number % 5 === 0),
  );
  const window = `from=${START_S + 3_600}&to=${START_S + 2 * 3_600 - 1}`;
  expect((await pagesOf(bench, `/payments/status/paid?limit=30&${window}`)).flat().sort()).toEqual(
    paid.filter((uid) => /^order-01\d\d$/.test(uid)),
  );
}, 180_000);

test('a window holds both of its seconds, whole', async () => {
  const bench = await openBench();
  await bench.pass(999);
  await bench.again();
  for (const [from, to, total] of [
    [START_S, START_S, 1],
    [START_S - 1, START_S - 1, 0],
    [START_S + 1, START_S + 1, 0],
  ]) {
    expect(await bench.get(`/payments/status/paid?from=${from}&to=${to}`)).toMatchObject({ response: { total } });
  }
});

test('a payment is listed by when it came to its status, and under that status alone', async () => {
  const bench = await openBench();
  await bench.fault('flip_to_paid', { params: { delay_ms: 3_600_000 } });
  await bench.again();
  const lists = async () => {
    const [failed, paid, cancelled] = await Promise.all(
      ['failed', 'paid', 'cancelled'].map((status) => totalsOf(bench, status)),
    );
    return { failed, paid, cancelled };
  };
  expect(await lists()).toEqual({ failed: [1, 0, 0], paid: [0, 0, 0], cancelled: [0, 0, 0] });
  await bench.pass(3_600_000);
  expect(await lists()).toEqual({ failed: [0, 0, 0], paid: [0, 1, 0], cancelled: [0, 0, 0] });
  await bench.pass(3_600_000);
  for (const amount of [100, 200]) await bench.post('/payments/cancel', { merchant_uid: 'order-1', amount });
  expect(await lists()).toEqual({ failed: [0, 0, 0], paid: [0, 0, 0], cancelled: [0, 0, 1] });
  expect(await bench.get(`/payments/status/all?from=${START_S}&to=${START_S}`)).toMatchObject({
    response: { list: [{ status: 'cancelled' }] },
  });
});

test('a capture that came late, or while the clock stood earlier, is in the window of its instant', async () => {
  const bench = await openBench();
  await bench.again({ merchant_uid: 'order-1' });
  await bench.post('/_sandbox/clock', { now: new Date((START_S - 3_600) * 1_000).toISOString() });
  await bench.again({ merchant_uid: 'order-2' });
  await bench.pass(3_600_000);
  const window = `from=${START_S - 3_600}&to=${START_S - 1}`;
  expect(await pagesOf(bench, `/payments/status/paid?${window}`)).toEqual([['order-2']]);
  expect((await pagesOf(bench, '/payments/status/paid?sorting=started')).flat()).toEqual(['order-2', 'order-1']);
});

async function charge(bench: Bench, number: number): Promise<void> {
  const customer_uid = number % 5 === 0 ? 'broke' : 'card-1';
  const answer = await bench.again({ customer_uid, merchant_uid: uidOf(number) });
  expect(answer.status).toBe(200);
}

function uidOf(number: number): string {
  return `order-${String(number).padStart(4, '0')}`;
}

function uidsWhere(count: number, isWanted: (number: number) => boolean): string[] {
  return Array.from({ length: count }, (_, number) => number)
    .filter(isWanted)
    .map(uidOf);
}

/** The merchant_uids of every page, as a client follows `next`. */
async function pagesOf(bench: Bench, path: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let page = 1; page !== 0; ) {
    const { list, next } = Object((await bench.get(`${path}&page=${page}`)).response);
    pages.push(list.map((payment: object) => Object(payment).merchant_uid));
    page = next;
  }
  return pages;
}

/** How many payments of a status each of the first three hours has. */
function totalsOf(bench: Bench, status: string): Promise<unknown[]> {
  return Promise.all(
    [0, 1, 2].map(async (hour) => {
      const from = START_S + hour * 3_600;
      const { response } = await bench.get(`/payments/status/${status}?from=${from}&to=${from + 3_599}`);
      return Object(response).total;
    }),
  );
}
