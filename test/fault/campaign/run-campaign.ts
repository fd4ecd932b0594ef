import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import type { Violation } from './books.ts';
import { Campaign } from './campaign.ts';
import { openWorld } from './open-world.ts';
import { asksHooks, commandFor, type Plan } from './options.ts';
import { judgeEnds } from './oracle/ends.ts';
import { judgeHistory } from './oracle/history.ts';
import { judgeHooks } from './oracle/hooks.ts';
import { judgeLeaks } from './oracle/leaks.ts';
import { timelineOf } from './oracle/timeline.ts';
import { quiesce, type Rest } from './quiesce.ts';
import { type Report, reportOf } from './report.ts';
import { loadSaved, save } from './saved.ts';
import { CANARIES } from './subscribers.ts';
import { Tally } from './tally.ts';
import type { World } from './world.ts';

export type CampaignOptions = {
  readonly plan: Plan;
  readonly resume: string | null;
  readonly keep: boolean;
  /** How often failpoints fired in runs before this one. */
  readonly fired: Readonly<Record<string, number>>;
  /** The built program under test. */
  readonly main: string;
  say(text: string): void;
};

/** Runs a campaign to its end and judges it. What it leaves is removed unless something is wrong with it. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const { say } = options;
  const directory = await realpath(options.resume ?? (await mkdtemp(join(tmpdir(), 'maedal-campaign-'))));
  const saved = options.resume === null ? null : await loadSaved(directory);
  const plan = saved?.plan ?? options.plan;
  // The logs are kept, and read again from their beginning.
  const tally = new Tally({ ...saved?.tally, failpoints: {} });
  const startedMs = systemClock.monotonicMs() - (saved?.spentMs ?? 0);
  const spentMs = () => Math.round(systemClock.monotonicMs() - startedMs);
  say(`${commandFor(plan)}\nin ${directory}; goes on with --resume ${directory}`);
  const { world, close } = await openWorld({ main: options.main, directory, plan, tally, fired: options.fired, say });
  try {
    const campaign = new Campaign(world);
    const note = (phases: number) => save(directory, { plan, phases, tally, spentMs: spentMs() });
    await note(saved?.phases ?? 0);
    await campaign.run(saved?.phases ?? 0, note);
    const report = await conclude(world, campaign, () => Math.round(spentMs() / 1_000));
    await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
    if (report.violations.length > 0) await tellViolations(world, campaign, report.violations);
    say(summaryOf(report));
    // Once more where whoever reads the end alone finds them.
    for (const each of report.violations.slice(0, TOLD_AGAIN)) say(sentence(each));
    await close();
    if (report.violations.length === 0 && options.resume === null && !options.keep) {
      await world.postgres.remove();
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } else say(`everything is kept in ${directory}`);
    return report;
  } finally {
    await close();
  }
}

async function conclude(world: World, campaign: Campaign, wallSeconds: () => number): Promise<Report> {
  const { plan, tally, postgres, merchant } = world;
  const { books } = campaign.reader;
  let rest: Rest = { openAfterQuiesce: 0, longestRecoverySeconds: 0, wallSeconds: 0 };
  let ends: Readonly<Record<string, number>> = {};
  if (campaign.violations.length === 0) {
    world.say('healed; waiting until nothing is open');
    rest = await quiesce(world, campaign.reader);
    await campaign.watch();
    const judged = await judgeEnds(postgres, books, world.orders, plan.charges);
    ends = judged.counts;
    campaign.violations.push(...judged.violations, ...(await judgeHistory(postgres, books)));
    const heard = { asked: merchant.asked(), told: merchant.told() };
    if (asksHooks(plan)) campaign.violations.push(...(await judgeHooks(postgres, books, heard)));
    campaign.violations.push(...(await judgeLeaks(world, CANARIES)));
  }
  const { violations } = campaign;
  return reportOf(postgres, { plan, books, tally, rest, ends, violations, wallSeconds: wallSeconds() });
}

async function tellViolations(world: World, campaign: Campaign, violations: readonly Violation[]): Promise<void> {
  const { say, plan } = world;
  const told = new Set<string | null>();
  for (const violation of violations.slice(0, 50)) {
    const { key } = violation;
    say(`\n${sentence(violation)}`);
    if (key === null || told.has(key) || told.size >= TIMELINES) continue;
    told.add(key);
    for (const line of await timelineOf(world, campaign.reader.books, key)) say(`  ${line}`);
  }
  say(`\n${violations.length} violations; again: ${commandFor(plan)}`);
}

function sentence({ invariant, key, what }: Violation): string {
  return `${invariant} ${key ?? ''}: ${what}`;
}

function summaryOf(report: Report): string {
  const { charges, captures, doubles, losses, openAfterQuiesce, wallSeconds, unknownSeconds, faults } = report;
  return [
    `${charges} charges, ${report.sends} sends, ${captures} captures in ${wallSeconds} s: ${doubles} doubles, ` +
      `${losses} losses, ${openAfterQuiesce} open after quiesce`,
    `ends: ${JSON.stringify(report.ends)}; unknown ${unknownSeconds.count} times, p50 ${unknownSeconds.p50} s, ` +
      `p99 ${unknownSeconds.p99} s; longest recovery ${report.longestRecoverySeconds} s`,
    `${report.failpointsFired} failpoints fired; never: ${report.failpointsMissing.join(', ') || 'none'}`,
    JSON.stringify(faults, null, 1),
  ].join('\n');
}

const TIMELINES = 5;
const TOLD_AGAIN = 10;
