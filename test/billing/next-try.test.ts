import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { DECLINE_CLASSES, type DeclineClass } from '../../src/billing/charge.ts';
import { afterDecline, type CardStanding, type Declined, nextTry } from '../../src/billing/next-try.ts';
import { type DunningPolicy, mostAttempts } from '../../src/billing/policy.ts';

const dueAt = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3],
  minGapHours: 24,
  classes: {
    funds: { retryAfterDays: [1, 3], card: 'next' },
    card: { retryAfterDays: [], card: 'other' },
    time: { retryAfterDays: [1], card: 'same' },
  },
};

const card = (id: string, fields: Partial<CardStanding> = {}): CardStanding => {
  return { id, declines: 0, refusals: 0, lastTriedAt: null, declined: null, ...fields };
};

/** Declined on the first card just now, as the first attempt of all. */
function declinedFor(
  declined: DeclineClass,
  others: readonly CardStanding[],
  fields: Partial<Declined> = {},
): Declined {
  const first = card('first', { declines: 1, lastTriedAt: dueAt, declined });
  const rest = { cardId: 'first', declined, lastAttemptAt: dueAt, barredUntil: null, declinesAreFinal: true, seed: '' };
  return { dueAt, cards: [first, ...others], ...rest, ...fields };
}

test.each<[string, Declined, ReturnType<typeof nextTry>]>([
  ['another card goes at once', declinedFor('funds', [card('second')]), { kind: 'try', cardId: 'second', at: dueAt }],
  [
    'what was registered in the place of a card goes at once, whatever the rule',
    declinedFor('time', [], { cards: [card('first')], cardId: null }),
    { kind: 'try', cardId: 'first', at: dueAt },
  ],
  [
    'a soft decline of the only card climbs',
    declinedFor('funds', []),
    { kind: 'try', cardId: 'first', at: dueAt.plus({ days: 1 }) },
  ],
  [
    'where its declines may turn into payments, another card waits for the gap',
    declinedFor('funds', [card('second')], { declinesAreFinal: false }),
    { kind: 'try', cardId: 'second', at: dueAt.plus({ days: 1 }) },
  ],
  [
    'where a send was never answered, it waits for that',
    declinedFor('funds', [card('second')], { barredUntil: dueAt.plus({ days: 2 }) }),
    { kind: 'try', cardId: 'second', at: dueAt.plus({ days: 2 }) },
  ],
  [
    'where a send was never answered, a rung of the same card before that waits for it',
    declinedFor('funds', [], { barredUntil: dueAt.plus({ days: 2 }) }),
    { kind: 'try', cardId: 'first', at: dueAt.plus({ days: 2 }) },
  ],
  [
    'one after that stays where it is',
    declinedFor('funds', [], { barredUntil: dueAt.plus({ hours: 2 }) }),
    { kind: 'try', cardId: 'first', at: dueAt.plus({ days: 1 }) },
  ],
  [
    'what is the company’s fault is for the same card',
    declinedFor('time', [card('second')]),
    { kind: 'try', cardId: 'first', at: dueAt.plus({ days: 1 }) },
  ],
  ['a card declined for good is not tried again', declinedFor('card', []), { kind: 'no-card' }],
  ['another one is', declinedFor('card', [card('second')]), { kind: 'try', cardId: 'second', at: dueAt }],
  [
    'not one that was declined for good itself',
    declinedFor('card', [card('second', { declines: 1, lastTriedAt: dueAt, declined: 'card' })]),
    { kind: 'no-card' },
  ],
  [
    'one that was tried today climbs its own rung',
    declinedFor('card', [card('second', { declines: 1, lastTriedAt: dueAt, declined: 'funds' })]),
    { kind: 'try', cardId: 'second', at: dueAt.plus({ days: 1 }) },
  ],
  [
    'a rung of another card is counted from its own last try',
    declinedFor('card', [card('second', { declines: 1, lastTriedAt: dueAt, declined: 'funds' })], {
      lastAttemptAt: dueAt.plus({ hours: 2 }),
    }),
    { kind: 'try', cardId: 'second', at: dueAt.plus({ days: 1 }) },
  ],
  [
    'or from the last of all, where declines may turn into payments',
    declinedFor('card', [card('second', { declines: 1, lastTriedAt: dueAt, declined: 'funds' })], {
      lastAttemptAt: dueAt.plus({ hours: 2 }),
      declinesAreFinal: false,
    }),
    { kind: 'try', cardId: 'second', at: dueAt.plus({ hours: 26 }) },
  ],
  [
    'past the last rung it is over',
    { ...declinedFor('time', []), cards: [card('first', { declines: 2, lastTriedAt: dueAt, declined: 'time' })] },
    { kind: 'exhausted' },
  ],
])('%s', (_rule, invoice, expected) => {
  expect(nextTry(invoice, POLICY)).toEqual(expected);
});

test('another card waits for the window where that is closed, and then for its jitter; where it is open it goes at once', () => {
  const policy = { ...POLICY, window: { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' }, jitterMinutes: 9 };
  const triedAt = (lastAttemptAt: DateTime) => {
    const next = nextTry(declinedFor('funds', [card('second')], { lastAttemptAt, seed: 'sub-1' }), policy);
    return next.kind === 'try' ? next.at.setZone('Asia/Seoul').toFormat('dd HH:mm') : next.kind;
  };
  expect(triedAt(dueAt)).toBe('31 10:00');
  expect(triedAt(dueAt.plus({ hours: 12 }))).toMatch(/^01 09:0[1-9]$/);
});

test('a card that replaced the one that was declined is tried, whatever the rule, and its ladder begins anew', () => {
  const replaced = { ...declinedFor('time', []), cards: [card('new')] };
  expect(nextTry(replaced, POLICY)).toEqual({ kind: 'try', cardId: 'new', at: dueAt });
  const climbing = [card('new', { declines: 1, lastTriedAt: dueAt.plus({ days: 2 }), declined: 'time' })];
  const next = nextTry({ ...replaced, cardId: 'new', lastAttemptAt: dueAt.plus({ days: 2 }), cards: climbing }, POLICY);
  expect(next).toEqual({ kind: 'try', cardId: 'new', at: dueAt.plus({ days: 3 }) });
});

const ladders = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 5 })
  .map((days) => days.sort((a, b) => a - b));
const rules = fc.record({
  retryAfterDays: ladders,
  card: fc.constantFrom('same' as const, 'next' as const, 'other' as const),
});
const policies = fc.record({
  retryAfterDays: ladders,
  minGapHours: fc.integer({ min: 1, max: 100 }),
  classes: fc.record(Object.fromEntries(DECLINE_CLASSES.map((name) => [name, rules]))),
  window: fc.constantFrom(null, { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' }),
  jitterMinutes: fc.nat(30),
});

test('every ladder ends, for every policy and every sequence of declines, and no card is tried twice in a gap', () => {
  const answers = fc.infiniteStream(fc.constantFrom(...DECLINE_CLASSES));
  fc.assert(
    fc.property(
      policies,
      answers,
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (policy, declines, count, declinesAreFinal) => {
        let cards: readonly CardStanding[] = Array.from({ length: count }, (_, index) => card(String(index)));
        let cardId = '0';
        let at: DateTime = dueAt;
        const spent = new Set<string>();
        for (let attempts = 1; ; attempts += 1) {
          expect(attempts).toBeLessThanOrEqual(mostAttempts(policy, count));
          const declined = declines.next().value ?? 'other';
          if (policy.classes[declined]?.card === 'other') spent.add(cardId);
          cards = afterDecline({ cards, cardId, declinesAreFinal, seed: 's' }, declined, at);
          const lastOf = new Map(cards.map((one) => [one.id, one.lastTriedAt]));
          const next = nextTry(
            { cards, cardId, declinesAreFinal, seed: 's', dueAt, declined, lastAttemptAt: at, barredUntil: null },
            policy,
          );
          if (next.kind !== 'try') return;
          expect(spent.has(next.cardId)).toBe(false);
          expect(next.at >= at).toBe(true);
          const before = lastOf.get(next.cardId) ?? null;
          if (before !== null) expect(next.at.diff(before).as('hours')).toBeGreaterThanOrEqual(policy.minGapHours);
          if (!declinesAreFinal) expect(next.at.diff(at).as('hours')).toBeGreaterThanOrEqual(policy.minGapHours);
          [cardId, at] = [next.cardId, next.at];
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
