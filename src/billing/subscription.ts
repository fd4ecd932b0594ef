import type { DateTime } from 'luxon';
import { firstPeriodFrom, type Period, periodAt, type Schedule } from './calendar.ts';
import { assertNever } from './errors.ts';

/** What happens to periods that began while nobody was billing. */
export const CATCH_UP = ['latest', 'all', 'hold'] as const;
export type CatchUp = (typeof CATCH_UP)[number];

/** A live subscription whose next period has begun. Instants by the database's clock. */
export type DueStanding = {
  readonly schedule: Schedule;
  readonly firstPeriod: number;
  readonly nextPeriod: number;
  /** How many periods are billed in all, counted from `firstPeriod`; null for no end. */
  readonly endsAfter: number | null;
  /** Where it ends, by a person's word: a period that begins then or later is not drawn up. */
  readonly cancelsAt: DateTime | null;
  readonly createdAt: DateTime;
};

/**
 * `open`: charged now. `spaced`: missed, and charged no sooner than a day after the customer's last charge. `queued`:
 * charged now, unless missed periods of its own wait: then a day after the last of them. Not behind others of the
 * customer: of several, more than one fall due in a day. `held`: left to a person.
 */
export type Treatment = 'open' | 'spaced' | 'queued' | 'held';

/** What the tick does about a due subscription: one period at a time, the oldest first. */
export type DrawUp =
  | {
      readonly kind: 'invoice';
      readonly period: Period;
      readonly as: Treatment;
      readonly nextPeriod: number;
      /** When the tick looks again: the next period's start, or after the last period its end. */
      readonly nextDueAt: DateTime;
    }
  | { readonly kind: 'end' };

/**
 * Decides the next invoice of a due subscription. Pure. `lookedForAt` is when somebody looks for what begins at an instant:
 * with a schedule of once a week that is days later, and no outage.
 */
export function drawUpNext(
  standing: DueStanding,
  catchUp: CatchUp,
  now: DateTime,
  lookedForAt: (startAt: DateTime) => DateTime = (startAt) => startAt,
): DrawUp {
  const { schedule, nextPeriod } = standing;
  if (pastTheEnd(standing, nextPeriod)) return { kind: 'end' };
  const period = periodAt(schedule, nextPeriod);
  const following = firstPeriodFrom(schedule, period.endAt);
  const nextDueAt = periodAt(schedule, following).startAt;
  const isLast = pastTheEnd(standing, following);
  const as = treatment({ ...standing, period, isLast, lookedForAt }, catchUp, now);
  return { kind: 'invoice', period, as, nextPeriod: following, nextDueAt };
}

/** Whether period `index` lies beyond the number of periods agreed, or begins no sooner than a person has it end. */
export function pastTheEnd(
  { schedule, firstPeriod, endsAfter, cancelsAt }: Omit<DueStanding, 'nextPeriod' | 'createdAt'>,
  index: number,
): boolean {
  if (endsAfter !== null && index >= firstPeriod + endsAfter) return true;
  return cancelsAt !== null && periodAt(schedule, index).startAt >= cancelsAt;
}

type DuePeriod = Pick<DueStanding, 'createdAt'> & {
  readonly period: Period;
  readonly isLast: boolean;
  readonly lookedForAt: (startAt: DateTime) => DateTime;
};

function treatment({ createdAt, period, isLast, lookedForAt }: DuePeriod, catchUp: CatchUp, now: DateTime): Treatment {
  const overtaken = period.endAt <= now;
  const wasMissed = () =>
    createdAt <= period.startAt && now.diff(lookedForAt(period.startAt)).as('hours') > MISSED_AFTER_HOURS;
  switch (catchUp) {
    case 'latest':
      // After the last period comes no newer one: it is the latest, however long it is over.
      return overtaken && !isLast ? 'held' : 'open';
    case 'all':
      return overtaken || wasMissed() ? 'spaced' : 'queued';
    case 'hold':
      return overtaken || wasMissed() ? 'held' : 'open';
    default:
      return assertNever(catchUp);
  }
}

/** A period drawn up so long after somebody should have looked was missed by an outage; sooner, the tick was merely busy. */
const MISSED_AFTER_HOURS = 24;
