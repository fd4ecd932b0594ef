import { type Chance, chanceFor } from './chance.ts';

/** What may go wrong in a world, each class by itself to be left out when a failing seed is shrunk. */
export const FAULTS = [
  'crash',
  'pause',
  'stall',
  'failpoint',
  'lost_ack',
  'database_away',
  'rings',
  'slow',
  'decline',
  'lost_answer',
  'late_capture',
  'flip',
  'pending',
  'refused',
  'lag',
  'lie',
  'unclear',
  'unauthorized',
  'not_sent',
  'clock',
  'webhook',
  'operator',
  'restore',
  'given_back',
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Which of the gateway's assumptions hold. `G1`: a paid id is never captured again, checked at the capture itself.
 * `G2`: nothing is captured, or shown, later than H after its last byte. `none`: neither, so that doubles are possible and must be found.
 */
type Assumed = 'G1' | 'G2' | 'none';

/** What the gateway does with an id that it knows. */
type Dedupe = { readonly refuses: 'paid' | 'used' | 'nothing'; readonly checked: 'at start' | 'at capture' };

/** A world, all of it following from its seed. */
export type Plan = {
  readonly seed: number;
  /** What all chance but the plan's own follows from: the seed, unless others are tried to tell its story shorter. */
  readonly luck: number;
  readonly faults: ReadonlySet<Fault>;
  readonly assumed: Assumed;
  readonly dedupe: Dedupe;
  /** Whether a refused repeat leaves a `failed` record behind. */
  readonly refusalLeavesRecord: boolean;
  readonly rate: number;
  /** How many troubles of processes and connections there are at most, so that a world ends. */
  readonly troubles: number;
  readonly earliestCaptureMs: number;
  readonly latestCaptureMs: number;
  readonly latestFlipMs: number;
  readonly longestLagMs: number;
  /** How long a process may sleep after its last look at the guard and before its last byte. */
  readonly longestPauseMs: number;
  readonly chaosMs: number;
  readonly subscriptions: number;
  readonly periods: number;
  readonly workers: number;
  readonly schedulers: number;
  readonly retryAfterDays: readonly number[];
  /** A day; or so little that only the quarantine bars the next id while a send is unanswered. */
  readonly minGapHours: number;
  readonly audited: boolean;
  readonly refundDuplicates: 'auto' | 'propose';
  /** How a capture that nobody asks after is learnt of in the end. */
  readonly learns: 'by audit' | 'by webhook';
};

/** What is left out of a seed's own world, to find out what its failure needs. */
export type Without = {
  readonly faults: ReadonlySet<Fault>;
  readonly actors: 'all' | 'one of each';
  readonly luck?: number;
};

/** Nothing is left out. */
export const WHOLE: Without = { faults: new Set(), actors: 'all' };

export const HORIZON_MS = 3_600_000;
export const QUARANTINE_MS = 86_400_000;
export const TIMEOUT_MS = 60_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** The world of a seed, or of what is left of it. */
export function planOf(seed: number, without: Without = WHOLE): Plan {
  const chance = chanceFor(seed, 'plan');
  const { assumed, dedupe } = gatewayOf(chance);
  const { faults: all, ...trouble } = troubleOf(chance);
  const faults = new Set([...all].filter((fault) => !without.faults.has(fault) && isAllowed(fault, assumed, all)));
  const isHasty = chance.hits(0.25);
  const retryAfterDays = chance.pick(isHasty ? [[0], [0, 0]] : [[], [1], [1, 3]]);
  const few = without.actors === 'one of each';
  const learns = chance.pick(['by audit', 'by webhook'] as const);
  const counts = { subscriptions: 1 + chance.below(3), periods: 1 + chance.below(2) };
  return {
    seed,
    luck: without.luck ?? seed,
    faults,
    assumed,
    dedupe,
    refusalLeavesRecord: chance.hits(0.5),
    ...trouble,
    troubles: chance.pick([3, 10, 30]),
    ...(isHasty && !faults.has('restore')
      ? hasty(limits(chance, assumed))
      : { minGapHours: 24, ...limits(chance, assumed) }),
    ...(few ? { subscriptions: 1, periods: 1 } : counts),
    workers: few ? 1 : 2,
    schedulers: few ? 1 : 2,
    retryAfterDays,
    audited: chance.hits(0.5),
    refundDuplicates: chance.pick(['auto', 'propose'] as const),
    learns: faults.has('restore') ? 'by audit' : learns, // a backup forgets what webhooks told
  };
}

function gatewayOf(chance: Chance): Pick<Plan, 'assumed' | 'dedupe'> {
  const draw = chance.next();
  if (draw < 0.45)
    return { assumed: 'G1', dedupe: { refuses: chance.pick(['paid', 'used'] as const), checked: 'at capture' } };
  const dedupe = chance.pick<Dedupe>([
    { refuses: 'nothing', checked: 'at start' },
    { refuses: 'paid', checked: 'at start' },
    { refuses: 'used', checked: 'at start' },
  ]);
  return { assumed: draw < 0.85 ? 'G2' : 'none', dedupe };
}

/** Faults that do harm together and seldom meet by chance. */
const AIMED: readonly (readonly Fault[])[] = [
  ['stall', 'refused', 'late_capture'],
  ['lie', 'refused', 'late_capture'],
  ['restore', 'decline'],
  ['restore', 'decline', 'refused'],
];

/** One class alone, a few, or everything: a bug that one fault heals would survive the mixture. */
function troubleOf(chance: Chance): Pick<Plan, 'faults' | 'rate' | 'chaosMs'> {
  const draw = chance.next();
  if (draw < 0.06) return { faults: new Set(chance.pick(AIMED)), rate: 0.3, chaosMs: 200 * HOUR_MS };
  const often = { rate: chance.pick([0.01, 0.03, 0.08]), chaosMs: chance.pick([2, 30, 60, 200]) * HOUR_MS };
  if (draw < 0.23) return { ...often, faults: new Set([chance.pick(FAULTS)]) };
  const few = [chance.pick(FAULTS), chance.pick(FAULTS), chance.pick(FAULTS)];
  if (draw < 0.45) return { ...often, faults: new Set(few) };
  return { ...often, faults: new Set(FAULTS.filter(() => chance.hits(draw < 0.75 ? 0.4 : 0.85))) };
}

/**
 * A restored database has forgotten sends that may still land, and only the gateway knows their ids. What it forgot it
 * sees by look-ups alone, so that these have to be true and up to date.
 */
function isAllowed(fault: Fault, assumed: Assumed, all: ReadonlySet<Fault>): boolean {
  return fault !== 'restore' || (assumed !== 'G2' && !all.has('lag') && !all.has('lie'));
}

/**
 * Retries after two hours: a decline that turns paid does so, and is seen to, before that. Not beside a backup put back:
 * it forgets sends, and then nothing but the day between two attempts outlasts their late captures.
 */
function hasty(limits: Limits): Limits & Pick<Plan, 'minGapHours'> {
  const longestLagMs = Math.min(limits.longestLagMs, 0.2 * HORIZON_MS);
  return { ...limits, minGapHours: 2, latestFlipMs: HOUR_MS, longestLagMs };
}

type Limits = Pick<Plan, 'earliestCaptureMs' | 'latestCaptureMs' | 'latestFlipMs' | 'longestLagMs' | 'longestPauseMs'>;

/**
 * Where only the horizon protects, a capture and its visibility keep within it together, to its edge, counted from a last
 * byte that may leave at the end of the call's time limit.
 */
function limits(chance: Chance, assumed: Assumed): Limits {
  const latestFlipMs = chance.pick([MINUTE_MS, 5 * HOUR_MS, 20 * HOUR_MS]);
  switch (assumed) {
    case 'G1':
      return {
        earliestCaptureMs: 0,
        latestCaptureMs: chance.pick([0.5, 2, 10]) * HORIZON_MS,
        latestFlipMs,
        longestLagMs: chance.pick([0.2, 3]) * HORIZON_MS,
        longestPauseMs: 3 * HORIZON_MS,
      };
    case 'G2': {
      const longestLagMs = chance.pick([0, 10, 40]) * MINUTE_MS;
      const latestCaptureMs = HORIZON_MS - longestLagMs - SECOND_MS;
      return {
        earliestCaptureMs: chance.pick([0, latestCaptureMs - MINUTE_MS]),
        latestCaptureMs,
        latestFlipMs,
        longestLagMs,
        longestPauseMs: TIMEOUT_MS,
      };
    }
    case 'none':
      return {
        earliestCaptureMs: 0,
        latestCaptureMs: chance.pick([2, 30]) * HORIZON_MS,
        latestFlipMs: chance.pick([1, 4]) * QUARANTINE_MS,
        longestLagMs: 3 * HORIZON_MS,
        longestPauseMs: 3 * HORIZON_MS,
      };
  }
}
