import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { DECLINE_CLASSES, type DeclineClass } from '../../src/billing/charge.ts';
import { type Ladder, ladderOf } from '../../src/billing/ladder.ts';
import { seedOf } from '../../src/billing/next-try.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveSimulated } from '../../src/config/simulated.ts';
import { type Line, lineOf } from '../../src/simulate/line.ts';
import type { SimulatedAttempt } from '../../src/store/simulated-attempts.ts';
import type { SimulatedStep } from '../../src/store/simulated-steps.ts';
import { ROOT } from '../support/repository.ts';
import { configWith, linesOf, playWhole, type Subscriber } from './play.ts';

const FROM = '2027-01-31';
const DUE = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
/** Each policy that is shipped, and a plan of the example that names it; the default needs none. */
const POLICIES = [
  ['default', undefined],
  ['patient', 'beans-monthly'],
] as const;
const WAYS = POLICIES.flatMap(([policy, plan]) => DECLINE_CLASSES.map((declined) => ({ policy, plan, declined })));

type Way = { readonly policy: string; readonly plan: string | undefined; readonly declined: DeclineClass };

let config: Config;
let attempts: SimulatedAttempt[];
let steps: SimulatedStep[];
let lines: Line[];
beforeAll(async () => {
  config = await resolveSimulated({ file: join(ROOT, 'examples/maedal.config.ts'), env: {} });
  // What is the account's own fault stops everybody for a minute: such subscribers are played one by one.
  const [alone, together] = [true, false].map((isAlone) =>
    WAYS.filter(({ declined }) => isAlone === (declined === 'config')),
  );
  const recovering = POLICIES.flatMap(([policy, plan]) => RECOVERING.map((card) => recovered(policy, plan, card)));
  const casts = [
    [...(together?.flatMap(subscribersOf) ?? []), ...recovering],
    ...(alone?.flatMap(subscribersOf).map((one) => [one]) ?? []),
  ];
  [attempts, steps] = [[], []];
  for (const subscribers of casts) {
    const played = await playWhole({ subscribers, from: FROM, until: '2027-04-15', config });
    attempts.push(...played.attempts);
    steps.push(...played.steps);
  }
  lines = attempts.map(lineOf);
}, 120_000);

/** Cards that are declined at first. */
const RECOVERING = ['funds_then_approve', 'flip_to_paid'] as const;

function recovered(policy: string, plan: string | undefined, card: string): Subscriber {
  const named = plan === undefined ? {} : { plan };
  return { id: `${policy}-${card}`, anchor: '2027-01-31T10:00', interval: 'year', card, ...named };
}

/** One with a card that is declined for this, and one who has another card besides. */
function subscribersOf({ policy, plan, declined }: Way): Subscriber[] {
  const anchor = '2027-01-31T10:00';
  const one = {
    anchor,
    interval: 'year',
    card: `decline_${declined}`,
    ...(plan === undefined ? {} : { plan }),
  } as const;
  return [
    { ...one, id: `${policy}-${declined}` },
    { ...one, id: `${policy}-${declined}-two`, backups: [`second-of-${policy}-${declined}`] },
  ];
}

test('every policy that is shipped is played', () => {
  expect(Object.keys(config.policies).sort()).toEqual(POLICIES.map(([name]) => name));
  expect(new Set(steps.map(({ name }) => name))).toEqual(new Set(['reminded', 'last-notice']));
});

describe.each(WAYS)('$policy, declined for $declined', ({ policy, declined }) => {
  test('does what its printed ladder says, to the minute', () => {
    const own = linesOf(lines, `${policy}-${declined}`);
    const { rungs } = ladder(policy, declined, 1);
    expect(own.map(({ at }) => at)).toEqual(rungs.map(({ at }) => instant(at)));
    for (const line of own) expect(line).toMatchObject({ outcome: 'declined', decline_class: declined });
  });

  test('goes to another card when its printed ladder says, or never', () => {
    const own = linesOf(lines, `${policy}-${declined}-two`);
    const { rungs } = ladder(policy, declined, 2);
    const other = rungs.findIndex(({ card }) => card === 2);
    const made = other < 0 ? rungs : rungs.slice(0, other + 1);
    expect(own.map(({ at }) => at)).toEqual(made.map(({ at }) => instant(at)));
    expect(own.at(-1)?.outcome).toBe(other < 0 ? 'declined' : 'paid');
  });

  test('enters the steps of its printed ladder, each to the minute', () => {
    const own = steps.filter(({ subscription }) => subscription === `${policy}-${declined}`);
    const printed = ladder(policy, declined, 1).steps;
    expect(own.map(({ name, enteredAt }) => [name, minute(enteredAt)])).toEqual(
      printed.map(({ name, at }) => [name, minute(at.toJSDate())]),
    );
  });

  test('ends as its printed ladder says, invoice and subscription', () => {
    expectEnd(attempts, `${policy}-${declined}`, ladder(policy, declined, 1));
  });
});

describe.each(POLICIES.map(([policy]) => policy))('%s', (policy) => {
  test('a card that has money the next time is paid on the second rung of the printed ladder, to the minute', () => {
    const { rungs } = ladder(policy, 'funds', 1, { id: `${policy}-funds_then_approve` });
    const own = linesOf(lines, `${policy}-funds_then_approve`);
    expect(own.map(({ at }) => at)).toEqual(rungs.slice(0, 2).map(({ at }) => instant(at)));
    expect(own.map(({ outcome }) => outcome)).toEqual(['declined', 'paid']);
  });

  test('a decline that turned paid settles its invoice before the second rung', () => {
    const own = linesOf(lines, `${policy}-flip_to_paid`);
    expect(own).toMatchObject([{ at: instant(DUE), attempt: 1, outcome: 'paid', next: null }]);
  });
});

test('another card is waited for until when the printed ladder says', async () => {
  const waiting = WAYS.filter(({ policy, declined }) => ladder(policy, declined, 1).awaitsUntil !== null);
  expect(waiting.map(({ declined }) => declined)).toEqual(expect.arrayContaining(['card', 'key', 'fraud']));
  const subscribers = waiting.flatMap((way) => subscribersOf(way).slice(0, 1));
  const { attempts: played } = await playWhole({ subscribers, from: FROM, until: '2027-02-02', config });
  expect(played).toHaveLength(waiting.length);
  for (const { policy, declined } of waiting) {
    const own = played.find(({ subscription }) => subscription === `${policy}-${declined}`);
    const { awaitsUntil } = ladder(policy, declined, 1);
    expect(own).toMatchObject({ invoiceState: 'retrying', invoiceReason: 'awaiting_card' });
    expect(own?.invoiceNextAt).toEqual(awaitsUntil?.toJSDate());
  }
});

test('every other end that a policy may name is the printed one too', async () => {
  const short = { retryAfterDays: [1], waitForCardDays: 2 };
  const dunning = {
    accumulate: { ...short, later: 'accumulate' },
    pause: { ...short, end: 'pause' },
    cancel: { ...short, end: 'cancel' },
    write_off: { ...short, end: 'write_off' },
  };
  const names = Object.keys(dunning);
  const plan = (policy: string) => ({ name: 'Coffee', amount: 9900, currency: 'KRW', interval: 'year', policy });
  const plans = Object.fromEntries(names.map((name) => [name, plan(name)]));
  const other = await configWith({ dunning, plans });
  const ways = names.flatMap((policy) => (['funds', 'card'] as const).map((declined) => ({ policy, declined })));
  const subscribers = ways.flatMap((way) => subscribersOf({ ...way, plan: way.policy }).slice(0, 1));
  const { attempts: played } = await playWhole({ subscribers, from: FROM, until: '2027-02-05', config: other });
  for (const { policy, declined } of ways)
    expectEnd(played, `${policy}-${declined}`, ladder(policy, declined, 1, { config: other }));
  const became = played.map(({ subscriptionStatus }) => subscriptionStatus);
  expect(new Set(became)).toEqual(new Set(['past_due', 'paused', 'canceled', 'active']));
});

function expectEnd(played: readonly SimulatedAttempt[], id: string, { endsAs, end, subscription }: Ladder): void {
  const last = played.filter((attempt) => attempt.subscription === id).at(-1);
  expect(last).toMatchObject({ invoiceState: endsAs, invoiceReason: end, subscriptionStatus: BECOMES[subscription] });
  expect(last?.invoiceNextAt).toBeNull();
}

/** The status that each end leaves a subscription in. */
const BECOMES: Readonly<Record<Ladder['subscription'], string>> = {
  ...{ past_due: 'past_due', accumulate: 'past_due', unpaid: 'unpaid' },
  ...{ pause: 'paused', cancel: 'canceled', write_off: 'active' },
};

/** As `maedal policy` prints it, with the minutes of that invoice's own jitter. */
function ladder(
  policy: string,
  declined: DeclineClass,
  cards: number,
  of: { readonly id?: string; readonly config?: Config } = {},
): Ladder {
  const dunning = (of.config ?? config).policies[policy]?.dunning;
  if (dunning === undefined) throw new Error(`there is no policy ${policy}`);
  const externalId = of.id ?? `${policy}-${declined}${cards > 1 ? '-two' : ''}`;
  const seed = seedOf({ subscription: { externalId }, periodKey: '2027-01-31' });
  return ladderOf(dunning, { dueAt: DUE, declined, cards, declinesAreFinal: true, seed });
}

function instant(at: DateTime): string | null {
  return at.toUTC().toISO({ suppressMilliseconds: true });
}

function minute(at: Date): string {
  return at.toISOString().slice(0, 16);
}
