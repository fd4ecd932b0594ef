import type { Books, Violation } from './books.ts';
import { commandFor, isWhole, type Plan } from './options.ts';
import { passedIn } from './passed.ts';
import type { CampaignPostgres } from './postgres.ts';
import type { Rest } from './quiesce.ts';
import type { Tally } from './tally.ts';

/** What a run came to, in numbers. Spans of the campaign's clock in seconds. */
export type Report = {
  readonly command: string;
  readonly plan: Plan;
  readonly finishedAt: string;
  readonly wallSeconds: number;
  readonly charges: number;
  /** Whether every class of faults struck that needs no hooks. */
  readonly isWhole: boolean;
  readonly sends: number;
  readonly captures: number;
  /** Periods captured more than once at some instant. */
  readonly doubles: number;
  readonly losses: number;
  readonly openAfterQuiesce: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly unknownSeconds: { readonly count: number; readonly p50: number; readonly p99: number };
  readonly longestRecoverySeconds: number;
  readonly faults: ReturnType<Tally['toJSON']>;
  /** Sends whose answer was lost, torn or wrong. */
  readonly ambiguous: number;
  readonly failpointsFired: number;
  readonly failpointsMissing: readonly string[];
  readonly violations: readonly Violation[];
};

type Parts = {
  readonly plan: Plan;
  readonly books: Books;
  readonly tally: Tally;
  readonly rest: Rest;
  readonly ends: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly wallSeconds: number;
};

/** Counts it up. */
export async function reportOf(postgres: CampaignPostgres, parts: Parts): Promise<Report> {
  const { plan, books, tally, rest, ends, violations, wallSeconds } = parts;
  const [unknown] = await postgres.query<{ count: number; p50: number | null; p99: number | null }>(UNKNOWN);
  const fired = tally.of('failpoints');
  return {
    command: commandFor(plan),
    plan,
    finishedAt: new Date().toISOString(),
    wallSeconds,
    charges: plan.charges,
    isWhole: isWhole(plan),
    sends: books.inOrder.length,
    captures: books.captured,
    doubles: books.doubles,
    losses: violations.filter(({ invariant }) => invariant === 'I2' || invariant === 'I3').length,
    openAfterQuiesce: rest.openAfterQuiesce,
    ends,
    unknownSeconds: { count: unknown?.count ?? 0, p50: unknown?.p50 ?? 0, p99: unknown?.p99 ?? 0 },
    longestRecoverySeconds: rest.longestRecoverySeconds,
    faults: tally.toJSON(),
    ambiguous: unknown?.count ?? 0,
    failpointsFired: passedIn(plan).filter((name) => (fired[name] ?? 0) > 0).length,
    failpointsMissing: passedIn(plan).filter((name) => (fired[name] ?? 0) === 0),
    violations,
  };
}

const UNKNOWN = `
  SELECT count(*)::integer AS count, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 1)::float8 AS p50,
         round(percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds)::numeric, 1)::float8 AS p99
    FROM (SELECT to_state, extract(epoch FROM lead(at) OVER (PARTITION BY entity_id ORDER BY id) - at) AS seconds
            FROM history WHERE entity = 'attempt' AND from_state IS DISTINCT FROM to_state) spans
   WHERE to_state = 'unknown' AND seconds IS NOT NULL`;
