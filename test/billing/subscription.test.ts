import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { type CatchUp, type DueStanding, drawUpNext } from '../../src/billing/subscription.ts';

const instant = (iso: string) => DateTime.fromISO(iso, { zone: 'utc' });
const standing: DueStanding = {
  schedule: { anchorLocal: '2027-01-31T10:00:00', timezone: 'Asia/Seoul', interval: 'month', intervalCount: 1 },
  firstPeriod: 0,
  nextPeriod: 0,
  endsAfter: null,
  cancelsAt: null,
  createdAt: instant('2027-01-01T00:00:00Z'),
};

test('a period that has just begun is charged, and the next is looked for when it begins', () => {
  const next = drawUpNext(standing, 'hold', instant('2027-01-31T01:00:30Z'));
  expect(next).toMatchObject({ kind: 'invoice', as: 'open', nextPeriod: 1, period: { key: '2027-01-31' } });
  expect(next.kind === 'invoice' && next.nextDueAt.toISO()).toBe('2027-02-28T01:00:00.000Z');
});

test.each([
  // policy, period, now → what becomes of it
  ['latest', 0, '2027-03-05T00:00:00Z', 'held'], // February has begun: January is left to an operator
  ['latest', 1, '2027-03-05T00:00:00Z', 'open'], // the newest is charged, however late
  ['all', 0, '2027-03-05T00:00:00Z', 'spaced'],
  ['all', 1, '2027-03-05T00:00:00Z', 'spaced'],
  ['all', 1, '2027-02-28T02:00:00Z', 'queued'], // behind what was missed, if anything was
  ['hold', 0, '2027-03-05T00:00:00Z', 'held'],
  ['hold', 1, '2027-03-05T00:00:00Z', 'held'],
  ['hold', 1, '2027-02-28T20:00:00Z', 'open'], // a busy tick is no outage
] as const)('after an outage, %s: period %i at %s is %s', (catchUp: CatchUp, nextPeriod, now, as) => {
  expect(drawUpNext({ ...standing, nextPeriod }, catchUp, instant(now))).toMatchObject({ kind: 'invoice', as });
});

test.each([
  // policy, period of two agreed ones, both over → what becomes of it
  ['latest', 0, 'held'],
  ['latest', 1, 'open'], // nothing newer comes: it is the latest
  ['all', 1, 'spaced'],
  ['hold', 1, 'held'],
] as const)('where a fixed term ended in an outage, %s: period %i is %s', (catchUp: CatchUp, nextPeriod, as) => {
  const fixed = { ...standing, endsAfter: 2, nextPeriod };
  expect(drawUpNext(fixed, catchUp, instant('2027-05-05T00:00:00Z'))).toMatchObject({ kind: 'invoice', as });
});

test('a subscription that came in after its period began was not missed', () => {
  const imported = { ...standing, createdAt: instant('2027-02-10T00:00:00Z') };
  expect(drawUpNext(imported, 'hold', instant('2027-02-10T00:01:00Z'))).toMatchObject({ as: 'open' });
});

test('the agreed number of periods is counted from the first one billed', () => {
  const after = { ...standing, firstPeriod: 2, endsAfter: 3 };
  const now = instant('2028-01-01T00:00:00Z');
  expect(drawUpNext({ ...after, nextPeriod: 4 }, 'latest', now).kind).toBe('invoice');
  expect(drawUpNext({ ...after, nextPeriod: 5 }, 'latest', now)).toEqual({ kind: 'end' });
});

test('cancelled to an end, every period that began before it is drawn up, the newest of them charged, and none after', () => {
  const cancelled = { ...standing, cancelsAt: instant('2027-03-31T01:00:00Z') };
  const drawn = [0, 1, 2].map((nextPeriod) =>
    drawUpNext({ ...cancelled, nextPeriod }, 'latest', instant('2027-06-01T00:00:00Z')),
  );
  expect(drawn).toMatchObject([{ as: 'held' }, { as: 'open', period: { key: '2027-02-28' } }, { kind: 'end' }]);
});
