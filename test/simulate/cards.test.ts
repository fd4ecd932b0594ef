import { beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { type Ladder, ladderOf } from '../../src/billing/ladder.ts';
import { seedOf } from '../../src/billing/next-try.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import type { Line } from '../../src/simulate/line.ts';
import { configWith, linesOf, play } from './play.ts';

const ANCHOR = '2027-01-31T10:00';
const DUE = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
const CARDS = ['approve', 'decline_funds', 'funds_then_approve', 'capture_late', 'capture_then_drop'].concat([
  'hang',
  'drop_before_capture',
  'flip_to_paid',
  'pending_then_paid',
  'error_500',
  'malformed',
]);

let lines: Line[];
let policy: DunningPolicy;
beforeAll(async () => {
  const config = await configWith();
  const configured = config.policies.default;
  if (configured === undefined) throw new Error('there is no default policy');
  policy = configured.dunning;
  const subscribers = CARDS.map((card) => ({ id: card, anchor: ANCHOR, card }));
  lines = await play({ subscribers, from: '2027-01-31', until: '2027-02-28', config });
});

test('a card that is always declined climbs the ladder to the minute, and is given up at its end', () => {
  const own = linesOf(lines, 'decline_funds');
  const ladder = ladderFor('decline_funds');
  expect(own).toHaveLength(4);
  expect(own.map(({ at }) => at)).toEqual(ladder.rungs.map(({ at }) => instant(at)));
  expect(own.map(({ attempt }) => attempt)).toEqual(ladder.rungs.map(({ number }) => number));
  expect(own.map(({ next }) => next)).toEqual([...ladder.rungs.slice(1).map(({ at }) => instant(at)), null]);
  for (const line of own) expect(line).toMatchObject({ outcome: 'declined', decline_class: 'funds' });
});

test('a card that has money again the next time is paid on the second rung', () => {
  const [first, second] = ladderFor('funds_then_approve').rungs;
  if (first === undefined || second === undefined) throw new Error('the ladder has no second rung');
  expect(linesOf(lines, 'funds_then_approve')).toMatchObject([
    { at: instant(first.at), attempt: 1, outcome: 'declined', next: instant(second.at) },
    { at: instant(second.at), attempt: 2, outcome: 'paid', decline_class: null, next: null },
  ]);
});

test.each(['approve', 'capture_late', 'capture_then_drop', 'pending_then_paid', 'malformed'])(
  'what %s captures is paid by its one attempt, however its answer came',
  (card) => {
    expect(linesOf(lines, card)).toMatchObject([{ at: instant(DUE), attempt: 1, outcome: 'paid', next: null }]);
  },
);

test('a decline that turned paid settles its invoice before the next rung', () => {
  expect(linesOf(lines, 'flip_to_paid')).toMatchObject([{ attempt: 1, outcome: 'paid', next: null }]);
});

test.each(['hang', 'drop_before_capture', 'error_500'])(
  'what %s never captures is sent again under its own id, and ends before a person',
  (card) => {
    expect(linesOf(lines, card)).toMatchObject([{ attempt: 1, outcome: 'held', next: null }]);
  },
);

/** As `maedal policy` prints it, with the minutes of that invoice's own jitter. */
function ladderFor(subscription: string): Ladder {
  const seed = seedOf({ subscription: { externalId: subscription }, periodKey: '2027-01-31' });
  return ladderOf(policy, { dueAt: DUE, declined: 'funds', cards: 1, declinesAreFinal: true, seed });
}

function instant(at: DateTime): string | null {
  return at.toUTC().toISO({ suppressMilliseconds: true });
}
