import { expect, test } from '@jest/globals';
import { configWith, linesOf, play, type Subscriber } from './play.ts';

const DAILY: Subscriber = { id: 'daily', anchor: '2027-01-10T10:00', interval: 'day', card: 'decline_funds' };
/** One a day, a minute after the daily one, so that a tick comes then whatever becomes of it. */
const OTHERS = Array.from({ length: 9 }, (_, index): Subscriber => {
  const day = 11 + index;
  return { id: `other-${day}`, anchor: `2027-01-${day}T10:01` };
});

test.each([{ end: 'unpaid', later: 'accumulate' }, { end: 'unpaid' }, { end: 'pause' }, { end: 'cancel' }])(
  'what becomes of a subscription depends on no other, where it is given up by %j',
  async (how) => {
    const config = await configWith({ dunning: { default: { retryAfterDays: [1, 2], ...how } } });
    const days = { from: '2027-01-10', until: '2027-01-20', config };
    const alone = await play({ ...days, subscribers: [DAILY] });
    const beside = await play({ ...days, subscribers: [DAILY, ...OTHERS] });
    expect(linesOf(beside, 'daily')).toEqual(alone);
    expect(alone.length).toBeGreaterThan(3);
  },
);
