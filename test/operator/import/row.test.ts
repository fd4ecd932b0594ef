import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { COLUMNS, type Column } from '../../../src/operator/import/columns.ts';
import { type RowSettings, readRow } from '../../../src/operator/import/row.ts';
import { SOUND } from './world.ts';

const settings: RowSettings = {
  plans: {},
  channels: [],
  policies: ['default', 'patient'],
  timezone: 'Asia/Seoul',
  chargeAt: '09:30',
  isTestCard: null,
};
const now = DateTime.fromISO('2027-03-10T03:00:00Z');

function subscriptionOf(changes: Readonly<Partial<Record<Column, string>>>) {
  const row: Readonly<Partial<Record<Column, string>>> = { ...SOUND, ...changes };
  const cells = new Map(
    COLUMNS.flatMap((column) => (row[column] === undefined ? [] : [[column, row[column]] as const])),
  );
  const reading = readRow(cells, settings, now);
  if (reading.kind === 'bad') throw new Error(reading.problems.join('\n'));
  return reading.row.subscription;
}

test('a date alone falls due at the configured time, a date-time at its own', () => {
  expect(subscriptionOf({ anchor_at: '2027-03-01' }).anchorLocal).toBe('2027-03-01T09:30:00');
  expect(subscriptionOf({ anchor_at: '2027-03-01 23:15' }).anchorLocal).toBe('2027-03-01T23:15:00');
});

test('a subscription is on trial while its trial runs, and active from the instant it ends', () => {
  expect(subscriptionOf({ trial_until: '2027-03-10T12:01' }).status).toBe('trialing');
  expect(subscriptionOf({ trial_until: '2027-03-10T12:00' }).status).toBe('active');
  expect(subscriptionOf({}).status).toBe('active');
});

test.each<[Partial<Record<Column, string>>, { left: number; due: string }]>([
  // three periods in all: of 1 March, April and May → how many are left, and when the next is looked at
  [{}, { left: 3, due: '2027-03-01' }],
  [{ billed_through: '2027-04-01' }, { left: 2, due: '2027-04-01' }],
  [{ billed_through: '2027-06-01' }, { left: 0, due: '2027-06-01' }], // used up: it ends when its last period does
  [{ billed_through: '2027-08-01' }, { left: -2, due: '2027-08-01' }],
  [{ trial_until: '2027-05-01' }, { left: 3, due: '2027-05-01' }],
  [
    { trial_until: '2027-05-01', billed_through: '2027-06-01' },
    { left: 2, due: '2027-06-01' },
  ],
  [{ anchor_at: '2026-03-01' }, { left: 3, due: '2027-03-01' }], // nobody billed the year before
])('of three periods, %j leaves %j', (changes, { left, due }) => {
  const { firstPeriod, nextPeriod, endsAfter, nextDueAt } = subscriptionOf({ ...changes, ends_after: '3' });
  expect(firstPeriod + (endsAfter ?? 0) - nextPeriod).toBe(left);
  expect(nextDueAt.setZone('Asia/Seoul').toISODate()).toBe(due);
});

test('a row may name a policy of its own, which goes before that of its plan', () => {
  expect(subscriptionOf({}).policy).toBe('default');
  expect(subscriptionOf({ policy: 'patient' }).policy).toBe('patient');
  expect(() => subscriptionOf({ policy: 'pateint' })).toThrow(
    /policy: 'pateint' is not under dunning.*did you mean patient\?.*use one of default, patient/i,
  );
});
