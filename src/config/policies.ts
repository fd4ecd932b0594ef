import { createHash } from 'node:crypto';
import type { z } from 'zod';

import { DECLINE_CLASSES, type DeclineClass } from '../billing/charge.ts';
import {
  type CardChoice,
  type ClassRule,
  type DunningPolicy,
  lastDay,
  mostDeclines,
  type Rung,
  type Step,
  waitDays,
} from '../billing/policy.ts';
import type { Channel, Named, Policy } from './config.ts';
import { named } from './named.ts';
import { policySchema } from './policy-schema.ts';
import type { FileConfig } from './schema.ts';

/** Every policy with its version; `default` is there whether configured or not. Adds to `problems`. */
export function resolvePolicies(
  file: Pick<FileConfig, 'dunning' | 'timezone'>,
  channels: Named<Channel>,
  { mode, problems }: { readonly mode: 'test' | 'live'; readonly problems: string[] },
): Named<Policy> {
  const quarantine = Math.max(...Object.values(channels).map((channel) => channel.quarantineSeconds));
  const given = Object.hasOwn(file.dunning, 'default')
    ? file.dunning
    : { default: policySchema.parse({}), ...file.dunning };
  return named(
    Object.entries(given).map(([name, written]) => {
      const dunning = policyOf(written, file.timezone);
      if (dunning.minGapHours * 3_600 < quarantine) {
        const path = `dunning.${name}.minGapHours`;
        problems.push(
          `${path} is ${dunning.minGapHours}: a retry waits out the longest quarantineSeconds, ${quarantine}`,
        );
      }
      if (mode === 'live' && dunning.minGapHours < A_DAY) {
        problems.push(
          `dunning.${name}.minGapHours is ${dunning.minGapHours}: live tries a card at most once a day, 24`,
        );
      }
      problems.push(...ladderProblems(`dunning.${name}`, written));
      problems.push(
        ...(dunning.steps ?? []).flatMap((step, index) => stepProblem(`dunning.${name}.steps.${index}`, step, dunning)),
      );
      const tries = mostDeclines(dunning);
      if (dunning.perCard !== null && dunning.perCard !== undefined && dunning.perCard.declines < tries) {
        problems.push(
          `dunning.${name}.perCard.declines is ${dunning.perCard.declines}: the ladder alone comes to ${tries} on one card`,
        );
      }
      if (dunning.later === 'accumulate' && dunning.end !== 'unpaid') {
        problems.push(
          `dunning.${name}.later is accumulate: it says something where end is unpaid, and that is ${dunning.end}`,
        );
      }
      return [name, { version: hash(dunning), dunning }];
    }),
  );
}

/** A day that the gap after the try before puts off is never climbed as it is written. */
function ladderProblems(path: string, { retryAfterDays, minGapHours, classes }: WrittenPolicy): string[] {
  const ladders = Object.entries(classes).map(
    ([name, rule]) => [`classes.${name}.`, rule?.retryAfterDays ?? []] as const,
  );
  return [['', retryAfterDays] as const, ...ladders].flatMap(([of, rungs]) =>
    rungs.flatMap((rung, index) => {
      const before = rungs[index - 1] ?? 0;
      if (rung === 'payday' || before === 'payday' || (rung - before) * 24 >= minGapHours) return [];
      return [
        `${path}.${of}retryAfterDays.${index} is ${rung}: minGapHours is ${minGapHours}, and the try before is on day ${before}`,
      ];
    }),
  );
}

/**
 * A step that lies after the end, or on its day, is never entered: the invoice is not collected any more by then. A wait for
 * a card goes on past its day by the jitter of the try before.
 */
function stepProblem(path: string, { afterDays }: Step, policy: DunningPolicy): string[] {
  const last = lastDay(policy);
  const isEntered = afterDays === 0 || afterDays < last || (afterDays === last && waitDays(policy) > 0);
  return isEntered ? [] : [`${path}.afterDays is ${afterDays}: the policy ends on day ${last} at the latest`];
}

/** A policy whole, so that the version that is kept says everything. */
function policyOf({ window, classes, ...written }: WrittenPolicy, timezone: string): DunningPolicy {
  return {
    ...written,
    classes: Object.fromEntries(
      DECLINE_CLASSES.map((name) => {
        const shipped = SHIPPED[name](written.retryAfterDays);
        const rule = classes[name] ?? {};
        const card = rule.card ?? (rule.retryAfterDays === undefined ? shipped.card : climbing(shipped.card));
        const ladder =
          card === 'other' ? [] : shipped.card === 'other' ? written.retryAfterDays : shipped.retryAfterDays;
        return [name, { retryAfterDays: rule.retryAfterDays ?? ladder, card }];
      }),
    ),
    window: { ...(window ?? AROUND_THE_CLOCK), timezone: window?.timezone ?? timezone },
  };
}

const A_DAY = 24;
/** Any hour but those around midnight, in which card companies and banks close their day. */
const AROUND_THE_CLOCK = { from: '01:00', until: '23:00' };

/** A ladder for a class whose card would not be tried again has that card climb it. */
function climbing(shipped: CardChoice): CardChoice {
  return shipped === 'other' ? 'same' : shipped;
}

/** One name for all policies together. */
export function policyVersion(policies: Named<Policy>): string {
  const versions = Object.entries(policies).map(([name, policy]) => [name, policy.version]);
  return hash(versions.sort(([one = ''], [other = '']) => (one < other ? -1 : 1)));
}

type WrittenPolicy = z.output<typeof policySchema>;

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

type Shipped = (ladder: readonly Rung[]) => ClassRule;

/** Nothing is wrong with the card, or with that of another payer: the same one climbs. */
const SAME: Shipped = (retryAfterDays) => ({ retryAfterDays, card: 'same' });
/** What may pay tomorrow, and another card today. */
const NEXT: Shipped = (retryAfterDays) => ({ retryAfterDays, card: 'next' });
/** Never that card again. */
const OTHER: Shipped = () => ({ retryAfterDays: [], card: 'other' });

const SHIPPED: Readonly<Record<DeclineClass, Shipped>> = {
  funds: NEXT,
  time: SAME,
  verify: SAME,
  config: SAME,
  card: OTHER,
  key: OTHER,
  fraud: OTHER,
  // Nobody knows what it says: two tries more, and no more trouble for the payer.
  other: (ladder) => ({ retryAfterDays: ladder.slice(0, 2), card: 'next' }),
};
