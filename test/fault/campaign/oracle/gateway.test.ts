import { expect, test } from '@jest/globals';
import type { Entry } from '../../../../src/sandbox/entry.ts';
import { booksOf, givenBack, paid, request } from './entries.ts';
import { judgeUid, type Row } from './sends.ts';

// An oracle that finds nothing is worth nothing: each of its rules is broken here once.

test.each<[string, readonly Entry[], readonly string[]]>([
  ['one capture', [paid('imps_1')], []],
  ['a second capture', [paid('imps_1'), paid('imps_2')], ['I1']],
  ['a second capture after the first was given back', [paid('imps_1'), givenBack('imps_1'), paid('imps_2')], []],
  ['a second request while one is in flight', [request(1), request(2)], ['I6']],
  ['a record that is no capture', [paid('imps_1'), paid('imps_2', { status: 'failed', paidAtMs: null })], []],
])('of the gateway alone: %s', (_, entries, broken) => {
  expect(booksOf(entries).violations.map(({ invariant }) => invariant)).toEqual(broken);
});

test.each<[string, Partial<Row> | null, readonly string[]]>([
  ['as its attempt froze it', {}, []],
  ['without an attempt', null, ['I5']],
  ['more often than it was intended', { send_count: 0 }, ['I5']],
  ['before its intent was committed', { sent_ms: [1_100] }, ['I7']],
  ['for another period', { key: 'sub-1 2027-02-28' }, ['I8']],
  ['for another amount', { amount: 9_800 }, ['I8']],
  ['on another card', { customer_uid: 'card-2' }, ['I8']],
  ['before it was due', { was_due: false }, ['I9']],
])('a request that came %s', (_, fields, broken) => {
  const books = booksOf([request(1)]);
  const found = judgeUid(books.inOrder, fields === null ? undefined : { ...ROW, ...fields }, []);
  expect(found.map(({ invariant }) => invariant)).toEqual(broken);
});

test.each<[string, number, number, readonly string[]]>([
  ['after a cancel that somebody had been told of', 800, Number.POSITIVE_INFINITY, ['I9']],
  ['before somebody was told of it', 950, Number.POSITIVE_INFINITY, []],
  ['within a pause', 800, 1_000, ['I9']],
  ['once somebody had asked for the end of a pause', 700, 850, []],
])('a request that was intended %s', (_, fromMs, untilMs, broken) => {
  const books = booksOf([request(1)]);
  const found = judgeUid(books.inOrder, ROW, [{ fromMs, untilMs, why: 'its cancel was done' }]);
  expect(found.map(({ invariant }) => invariant)).toEqual(broken);
});

const ROW: Row = {
  ...{ merchant_uid: 'uid of imps_1', key: 'sub-1 2027-01-31', send_count: 1, amount: 9_900, currency: 'KRW' },
  ...{ customer_uid: 'card-1', was_due: true, sent_ms: [900] },
};
