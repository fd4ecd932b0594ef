import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { DECLINE_CLASSES, type DeclineClass } from '../../src/billing/charge.ts';
import { type Ladder, ladderOf } from '../../src/billing/ladder.ts';
import { seedOf } from '../../src/billing/next-try.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveSimulated } from '../../src/config/simulated.ts';
import type { Line } from '../../src/simulate/line.ts';
import { ROOT } from '../support/repository.ts';
import { linesOf, play, type Subscriber } from './play.ts';

const DUE = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
/** Each policy that is shipped, and a plan of the example that names it; the default needs none. */
const POLICIES = [
  ['default', undefined],
  ['patient', 'beans-monthly'],
] as const;
const WAYS = POLICIES.flatMap(([policy, plan]) => DECLINE_CLASSES.map((declined) => ({ policy, plan, declined })));

let config: Config;
let lines: Line[];
beforeAll(async () => {
  config = await resolveSimulated({ file: join(ROOT, 'examples/maedal.config.ts'), env: {} });
  // What is the account's own fault stops everybody for a minute: such subscribers are played one by one.
  const [alone, together] = [true, false].map((isAlone) =>
    WAYS.filter(({ declined }) => isAlone === (declined === 'config')),
  );
  const casts = [together?.flatMap(subscribersOf) ?? [], ...(alone?.flatMap(subscribersOf).map((one) => [one]) ?? [])];
  lines = [];
  for (const subscribers of casts)
    lines.push(...(await play({ subscribers, from: '2027-01-31', until: '2027-04-15', config })));
}, 120_000);

/** One with a card that is declined for this, and one who has another card besides. */
function subscribersOf({ policy, plan, declined }: (typeof WAYS)[number]): Subscriber[] {
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
});

/** As `maedal policy` prints it, with the minutes of that invoice's own jitter. */
function ladder(policy: string, declined: DeclineClass, cards: number): Ladder {
  const dunning = config.policies[policy]?.dunning;
  if (dunning === undefined) throw new Error(`there is no policy ${policy}`);
  const externalId = `${policy}-${declined}${cards > 1 ? '-two' : ''}`;
  const seed = seedOf({ subscription: { externalId }, periodKey: '2027-01-31' });
  return ladderOf(dunning, { dueAt: DUE, declined, cards, declinesAreFinal: true, seed });
}

function instant(at: DateTime): string | null {
  return at.toUTC().toISO({ suppressMilliseconds: true });
}
