import { expect, test } from '@jest/globals';
import type { CatchUp } from '../../src/billing/subscription.ts';
import { configWith, linesOf, play } from './play.ts';

/** From the 10th at 09:00 to the 13th at 09:30; a day's charge is due at 10:00, so those of the 10th to 12th are missed. */
const OUTAGE = { from: '2027-02-10T09:00', until: '2027-02-13T09:30' };

async function missed(catchUp: CatchUp) {
  const lines = await play({
    subscribers: [
      { id: 'daily', anchor: '2027-02-08T10:00', interval: 'day' },
      { id: 'monthly', anchor: '2027-01-11T10:00' },
      { id: 'untouched', anchor: '2027-01-20T10:00' },
    ],
    from: '2027-02-08',
    until: '2027-02-21',
    config: await configWith({ catchUp }),
    outage: OUTAGE,
  });
  const seen = (id: string) => linesOf(lines, id).map(({ period, at, outcome }) => `${period} ${at} ${outcome}`);
  return { daily: seen('daily'), monthly: seen('monthly'), untouched: seen('untouched') };
}

const UNTOUCHED = ['2027-01-20 2027-01-20T01:00:00Z paid', '2027-02-20 2027-02-20T01:00:00Z paid'];

function onTime(...days: number[]): string[] {
  return days.map((day) => {
    const date = `2027-02-${String(day).padStart(2, '0')}`;
    return `${date} ${date}T01:00:00Z paid`;
  });
}

test('after an outage of three days, `latest` charges the newest period and holds the older ones', async () => {
  expect(await missed('latest')).toEqual({
    daily: [
      ...onTime(8, 9),
      '2027-02-10 2027-02-10T01:00:00Z held',
      '2027-02-11 2027-02-11T01:00:00Z held',
      ...onTime(12, 13, 14, 15, 16, 17, 18, 19, 20),
    ],
    monthly: ['2027-01-11 2027-01-11T01:00:00Z paid', '2027-02-11 2027-02-11T01:00:00Z paid'],
    untouched: UNTOUCHED,
  });
});

test('after an outage of three days, `hold` charges nothing that was missed', async () => {
  expect(await missed('hold')).toMatchObject({
    daily: [
      ...onTime(8, 9),
      '2027-02-10 2027-02-10T01:00:00Z held',
      '2027-02-11 2027-02-11T01:00:00Z held',
      ...onTime(12, 13, 14, 15, 16, 17, 18, 19, 20),
    ],
    monthly: ['2027-01-11 2027-01-11T01:00:00Z paid', '2027-02-11 2027-02-11T01:00:00Z held'],
    untouched: UNTOUCHED,
  });
});

test('after an outage of three days, `all` charges every missed period, the oldest first, one in a day', async () => {
  const { daily, monthly, untouched } = await missed('all');
  expect(monthly).toEqual(['2027-01-11 2027-01-11T01:00:00Z paid', '2027-02-11 2027-02-11T01:00:00Z paid']);
  expect(untouched).toEqual(UNTOUCHED);
  expect(daily).toEqual([
    ...onTime(8, 9),
    '2027-02-10 2027-02-10T01:00:00Z paid',
    '2027-02-11 2027-02-14T00:30:00Z paid',
    '2027-02-12 2027-02-15T00:30:00Z paid',
    '2027-02-13 2027-02-16T00:30:00Z paid',
    '2027-02-14 2027-02-17T00:30:00Z paid',
    '2027-02-15 2027-02-18T00:30:00Z paid',
    '2027-02-16 2027-02-19T00:30:00Z paid',
    '2027-02-17 2027-02-20T00:30:00Z paid',
  ]);
});

test('what a customer missed on several subscriptions is charged in the same order in every run', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const lines = await play({
    subscribers: ids.map((id) => ({ id, customer: 'one', anchor: '2027-01-11T10:00' })),
    from: '2027-02-08',
    until: '2027-02-21',
    config: await configWith({ catchUp: 'all' }),
    outage: OUTAGE,
  });
  const missedOnes = lines.filter(({ period }) => period === '2027-02-11');
  expect(missedOnes.map(({ subscription_id: id, at, outcome }) => `${id} ${at} ${outcome}`)).toEqual([
    'a 2027-02-11T01:00:00Z paid',
    'b 2027-02-12T01:00:00Z paid',
    'c 2027-02-13T01:00:00Z paid',
    'd 2027-02-14T01:00:00Z paid',
    'e 2027-02-15T01:00:00Z paid',
  ]);
});

test.each([
  ['0 9 * * 1', 'Asia/Seoul', '2027-02-10T10:00', '2027-04-20'],
  ['0 10 * * *', 'America/New_York', '2027-10-06T10:30', '2027-12-20'], // the 6th of November, 24.5 hours before the next tick
])(
  'under `hold`, what the schedule %s of %s leaves for more than a day was not missed',
  async (schedule, timezone, anchor) => {
    const from = anchor.slice(0, 10);
    const lines = await play({
      subscribers: [{ id: 'monthly', anchor, timezone }],
      from,
      until: `${from.slice(0, 4)}-${from.startsWith('2027-02') ? '04-20' : '12-20'}`,
      config: await configWith({ schedule, timezone, catchUp: 'hold' }),
    });
    expect(lines.map(({ outcome }) => outcome)).toEqual(['paid', 'paid', 'paid']);
  },
);

test('with a schedule of once a day, what was missed or waited for a retry is behind for minutes, not for ever', async () => {
  const lines = await play({
    subscribers: [
      { id: 'missed', anchor: '2027-02-08T10:00', interval: 'day' },
      { id: 'declined', anchor: '2027-02-13T10:00', interval: 'day', card: 'funds_then_approve' },
    ],
    from: '2027-02-08',
    until: '2027-02-18',
    config: await configWith({
      schedule: '0 10 * * *',
      dunning: { default: { retryAfterDays: [1], jitterMinutes: 0 } },
    }),
    outage: OUTAGE,
  });
  const held = lines.filter(({ outcome }) => outcome === 'held').map(({ period }) => period);
  expect(held).toEqual(['2027-02-10', '2027-02-11']);
  const last = ['2027-02-14', '2027-02-15', '2027-02-16', '2027-02-17'];
  for (const id of ['missed', 'declined']) {
    const paid = linesOf(lines, id).filter(({ outcome }) => outcome === 'paid');
    expect(paid.map(({ period }) => period)).toEqual(expect.arrayContaining(last));
  }
});
