import { describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { ListedPayment, ListedSchedule } from '../../../src/billing/charge.ts';
import type { Get } from '../../../src/gateway/portone/authorized-get.ts';
import { listPayments, listSchedules } from '../../../src/gateway/portone/listing.ts';
import { pageBody, payment } from '../fake-portone.ts';

const at = (text: string) => DateTime.fromISO(text, { zone: 'utc' });
const WINDOW = { from: at('2027-01-01T00:00:00Z'), until: at('2027-01-04T00:00:00.5Z') };
const NONE = pageBody([], 0);
const paid = (number: number, fields = {}) => payment(`uid${number}`, { imp_uid: `imps_${number}`, ...fields });
const many = Array.from({ length: 200 }, (_, number) => paid(number));

/** Serves these answers in order, and notes the paths asked for. */
function served(bodies: readonly unknown[], status = 200): { get: Get; paths: string[] } {
  const paths: string[] = [];
  const headers = { 'content-type': 'application/json' };
  const get: Get = async (path) => {
    const body = bodies[paths.push(path) - 1];
    if (body === undefined) return { kind: 'unclear', reason: 'no more pages' };
    return { kind: 'answer', status, headers, body: Buffer.from(JSON.stringify(body)) };
  };
  return { get, paths };
}

async function payments(get: Get, window = WINDOW) {
  const taken: ListedPayment[] = [];
  const listing = await listPayments(get, window, async (page) => void taken.push(...page));
  return { listing, taken };
}

test('paid payments are asked for first, then cancelled ones, oldest first, whole seconds at both ends', async () => {
  const { get, paths } = served([pageBody([paid(1)], 1), pageBody([paid(2, { status: 'cancelled' })], 1)]);
  const { listing, taken } = await payments(get);
  expect(listing).toEqual({ kind: 'whole', count: 2 });
  expect(taken.map(({ impUid, status }) => [impUid, status])).toEqual([
    ['imps_1', 'paid'],
    ['imps_2', 'cancelled'],
  ]);
  const query = 'to=1799020801&sorting=started&limit=200&page=1';
  expect(paths).toEqual([
    `/payments/status/paid?from=1798761600&${query}`,
    `/payments/status/cancelled?from=1791244802&${query}`, // 90 days: the gateway may go by when it was paid
  ]);
});

test('every page is read, and handed on as it comes', async () => {
  const { get, paths } = served([pageBody(many, 201, 2), pageBody([paid(200)], 201), NONE]);
  const pages: number[] = [];
  const listing = await listPayments(get, WINDOW, async (page) => void pages.push(page.length));
  expect(listing).toEqual({ kind: 'whole', count: 201 });
  expect(pages).toEqual([200, 1, 0]);
  expect(paths[1]).toContain('page=2');
});

test('what is captured while pages are read pushes others back, and leaves none of them out', async () => {
  const { get } = served([pageBody(many, 201, 2), pageBody([paid(199), paid(200)], 202), NONE]);
  const { listing, taken } = await payments(get);
  expect(listing).toEqual({ kind: 'whole', count: 201 });
  expect(new Set(taken.map(({ impUid }) => impUid)).size).toBe(201);
});

test('a payment that is cancelled while several pages are read may hide another, whatever is added meanwhile', async () => {
  const later = Array.from({ length: 200 }, (_, number) => paid(202 + number)); // the 201st was pulled forward
  const cancelled = pageBody([paid(0, { status: 'cancelled' })], 1);
  const { get } = served([pageBody(many, 400, 2), pageBody(later, 401), cancelled]);
  expect((await payments(get)).listing).toMatchObject({ kind: 'unclear' });
  const { get: short } = served([pageBody([paid(0)], 1), cancelled]);
  expect((await payments(short)).listing).toEqual({ kind: 'whole', count: 2 });
});

test('a long window is asked for in stretches of at most 90 days that leave no second out', async () => {
  const { get, paths } = served(Array.from({ length: 6 }, () => NONE));
  expect((await payments(get, { from: at('2026-06-15'), until: at('2027-01-04') })).listing.kind).toBe('whole');
  const stretches = paths.slice(0, 3).map((path) => new URL(path, 'http://x').searchParams);
  const bounds = stretches.map((query) => [Number(query.get('from')), Number(query.get('to'))]);
  expect(bounds[0]?.[0]).toBe(at('2026-06-15').toSeconds());
  expect(bounds[2]?.[1]).toBe(at('2027-01-04').toSeconds());
  for (const [index, [from = 0, to = 0]] of bounds.entries()) {
    expect(to - from).toBeLessThanOrEqual(90 * 86_400);
    if (index > 0) expect(from).toBe((bounds[index - 1]?.[1] ?? 0) + 1);
  }
});

describe('custom_data', () => {
  const own = { subscription: 'sub-1', period: '2027-01-31', invoice: '3f0c', attempt: 1 };
  test.each([
    [JSON.stringify(own), 'sub-1'],
    [own, 'sub-1'],
    [JSON.stringify({ ...own, subscription: 'no\u0000row\ud800' }), 'no\ufffdrow\ufffd'],
    [{ ...own, '\u0000': 1, subscription: 'sub-\u0000' }, 'sub-\ufffd'],
    [null, null],
    ['not JSON', null],
    ['[]', null],
    [JSON.stringify({ ...own, attempt: 'one' }), null],
    [JSON.stringify({ subscription: 'sub-1' }), null],
    ['{"__proto__":{"subscription":"sub-1"}}', null],
  ])('%j names %j', async (customData, subscription) => {
    const { get } = served([pageBody([paid(1, { custom_data: customData })], 1), NONE]);
    expect((await payments(get)).taken).toMatchObject([{ subscription }]);
  });
});

test.each<[string, readonly unknown[], number]>([
  ['a list that announces more than it holds', [pageBody([paid(1)], 2), NONE], 200],
  ['a list that holds more than it announces', [pageBody([paid(1), paid(2)], 1), NONE], 200],
  ['a payment listed twice', [pageBody([paid(1), paid(1)], 2), NONE], 200],
  ['a payment that cannot be read', [pageBody([paid(1), paid(2, { amount: null })], 2), NONE], 200],
  ['a total that shrinks', [pageBody(many, 202, 2), pageBody([paid(201)], 201), NONE], 200],
  ['a page that points back', [pageBody(many, 201, 1), NONE], 200],
  ['a second page that gets lost', [pageBody(many, 201, 2)], 200],
  ['cancelled payments that cannot be listed', [pageBody([paid(1)], 1)], 200],
  ['a list of another server', [{ total: 0, previous: 0, next: 0, list: [] }], 200],
  ["the gateway's own 404", [{ code: -1, message: '존재하지 않는 결제정보입니다.', response: null }], 404],
  ['an answer with an error beside a list', [{ code: 1, message: '', response: { total: 0, next: 0, list: [] } }], 200],
])('%s makes the whole list unclear', async (_, bodies, status) => {
  expect((await payments(served(bodies, status).get)).listing).toMatchObject({ kind: 'unclear' });
});

test('what was listed before a list broke off has been handed on: a fact is a fact', async () => {
  const { listing, taken } = await payments(served([pageBody(many, 201, 2)]).get);
  expect([listing.kind, taken.length]).toEqual(['unclear', 200]);
});

test('what the one who takes throws comes through', async () => {
  const lost = listPayments(served([pageBody([paid(1)], 1)]).get, WINDOW, () => Promise.reject(new Error('away')));
  await expect(lost).rejects.toThrow('away');
});

describe('schedules', () => {
  const booked = { merchant_uid: 'next-month', customer_uid: 'card-1', schedule_at: 1_800_000_000, amount: 100 };
  async function schedules(bodies: readonly unknown[]) {
    const { get, paths } = served(bodies);
    const taken: ListedSchedule[] = [];
    const listing = await listSchedules(get, WINDOW, async (page) => void taken.push(...page));
    return { listing, taken, paths };
  }

  test.each([
    ['a page', pageBody([booked], 1)],
    ['a bare list', { code: 0, message: null, response: [booked] }],
  ])('those still to come are read from %s', async (_, body) => {
    const { listing, taken, paths } = await schedules([body]);
    expect(listing).toEqual({ kind: 'whole', count: 1 });
    expect(taken).toEqual([
      { merchantUid: 'next-month', customerUid: 'card-1', scheduleAtMs: 1_800_000_000_000, isPending: true },
    ]);
    expect(paths[0]).toMatch(/schedule\?schedule_from=1798761600&schedule_to=1799020802&schedule_status=scheduled&/);
  });

  test.each([
    [200, 'whole'],
    [404, 'unclear'],
  ])('those of one card are asked for by its name; answered %i, the list is %s', async (status, kind) => {
    const { get, paths } = served([pageBody([booked], 1)], status);
    const listing = await listSchedules(get, { ...WINDOW, customerUid: 'card/1' }, async () => undefined);
    expect(listing.kind).toBe(kind);
    expect(paths[0]).toContain('/subscribe/customers/card%2F1/schedules?from=1798761600&to=1799020802&');
  });

  test.each([
    [undefined, true],
    ['scheduled', true],
    ['executed', false],
    ['revoked', false],
  ])('one whose status is %s is still to come: %s', async (schedule_status, isPending) => {
    const { taken } = await schedules([pageBody([{ ...booked, schedule_status }], 1)]);
    expect(taken).toMatchObject([{ isPending }]);
  });

  test('none is asked for over more than the three months from 1 February', async () => {
    const { get, paths } = served([pageBody([], 0), pageBody([], 0)]);
    const from = DateTime.fromISO('2027-02-01T10:00:00.250+09:00');
    await listSchedules(get, { from, until: from.plus({ days: 100 }) }, async () => undefined);
    const spans = paths.map((path) => {
      const [, fromS, toS] = /from=(\d+)&schedule_to=(\d+)/.exec(path) ?? [];
      return Number(toS) - Number(fromS);
    });
    expect(spans).toHaveLength(2);
    expect(Math.max(...spans)).toBeLessThan(89 * 86_400);
  });

  test('its id is fit for a line of a log', async () => {
    const { taken } = await schedules([pageBody([{ ...booked, merchant_uid: 'm\n1\u202e' }], 1)]);
    expect(taken).toMatchObject([{ merchantUid: 'm 1' }]);
  });

  test('one without a card makes the list unclear', async () => {
    expect((await schedules([pageBody([{ ...booked, customer_uid: null }], 1)])).listing.kind).toBe('unclear');
  });
});
