import { expect, test } from '@jest/globals';
import type { Get } from '../../../src/gateway/portone/authorized-get.ts';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import type { Answer } from '../../../src/gateway/portone/exchange.ts';
import { findAll } from '../../../src/gateway/portone/look-up.ts';
import { pageBody, payment } from '../fake-portone.ts';

const UID = 'testabcdefghijklmnopqrstuvwxyz01';
const ABSENT = { code: -1, message: '존재하지 않는 결제정보입니다.', response: null };

/** Serves these pages in order, and notes the paths asked for. */
function served(pages: readonly unknown[], status = 200): { get: Get; paths: string[] } {
  const paths: string[] = [];
  const get: Get = async (path) => {
    const page = pages[paths.push(path) - 1];
    return page === undefined ? { kind: 'unclear', reason: 'no more pages' } : answerOf(page, status);
  };
  return { get, paths };
}

function answerOf(body: unknown, status: number): Answer {
  const headers = { 'content-type': 'application/json' };
  return { kind: 'answer', status, headers, body: Buffer.from(JSON.stringify(body)) };
}

const failed = (number: number) =>
  payment(UID, { imp_uid: `imps_${number}`, status: 'failed', fail_reason: '[2116]개인 월 한도금액 초과' });
const paid = payment(UID, { imp_uid: 'imps_paid' });
const hundred = Array.from({ length: 100 }, (_, number) => failed(number));

test('one page is asked for with all statuses, a hundred at a time', async () => {
  const { get, paths } = served([pageBody([failed(1), paid], 2)]);
  expect(await findAll(get, UID, NO_LINES)).toMatchObject({
    kind: 'found',
    records: [
      { status: 'failed', decline: { class: 'funds' } },
      { status: 'paid', decline: null },
    ],
  });
  expect(paths).toEqual([`/payments/findAll/${UID}?limit=100&page=1&sorting=-started`]);
});

test('every page is read, and a paid record on the second is found', async () => {
  const { get, paths } = served([pageBody(hundred, 101, 2), pageBody([paid], 101)]);
  const found = await findAll(get, UID, NO_LINES);
  expect(found.kind === 'found' ? found.records.filter(({ status }) => status === 'paid') : found).toHaveLength(1);
  expect(paths).toHaveLength(2);
});

test("absent is PortOne's own 404 and nothing else", async () => {
  expect(await findAll(served([ABSENT], 404).get, UID, NO_LINES)).toEqual({ kind: 'absent' });
});

test.each<[string, readonly unknown[], number]>([
  ['200 with the words of the 404', [ABSENT], 200],
  ['404 of another server', [{ error: 'not found' }], 404],
  ['404 that holds a payment', [{ ...ABSENT, response: paid }], 404],
  ['404 with code 0', [{ ...ABSENT, code: 0 }], 404],
  ['500', [ABSENT], 500],
  ['an empty list', [pageBody([], 0)], 200],
  ['a list that announces more than it holds', [pageBody([paid], 2)], 200],
  ['a list that holds more than it announces', [pageBody([failed(1), paid], 1)], 200],
  ['a total that changes', [pageBody(hundred, 101, 2), pageBody([paid], 102)], 200],
  ['a payment listed twice', [pageBody([paid, paid], 1)], 200],
  ['a payment listed on two pages', [pageBody([paid], 1, 2), pageBody([paid], 1)], 200],
  ['a payment of another id', [pageBody([payment('another')], 1)], 200],
  ['a payment that cannot be read', [pageBody([{ ...paid, amount: null }], 1)], 200],
  ['a page that points back', [pageBody(hundred, 101, 1)], 200],
  ['a page that is skipped', [pageBody(hundred, 101, 3)], 200],
  ['a second page that gets lost', [pageBody(hundred, 101, 2)], 200],
  ['a list without an end', Array.from({ length: 30 }, (_, page) => pageBody([failed(page)], 99, page + 2)), 200],
  ['a bare list', [{ code: 0, message: null, response: [paid] }], 200],
])('%s is unclear', async (_, pages, status) => {
  expect(await findAll(served(pages, status).get, UID, NO_LINES)).toMatchObject({ kind: 'unclear' });
});

test('a second page that says 404 is unclear, not absent', async () => {
  let page = 0;
  const get: Get = async () => {
    page += 1;
    return page === 1 ? answerOf(pageBody(hundred, 101, 2), 200) : answerOf(ABSENT, 404);
  };
  expect(await findAll(get, UID, NO_LINES)).toMatchObject({ kind: 'unclear' });
});

test('an id is put into the path as one piece', async () => {
  const { get, paths } = served([]);
  await findAll(get, '../../users?x=/', NO_LINES);
  expect(paths[0]).toMatch(/^\/payments\/findAll\/\.\.%2F\.\.%2Fusers%3Fx%3D%2F\?limit=/);
});
