import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/clock.ts';
import { FAULTS, planOf, WHOLE } from './plan.ts';
import { shrink } from './shrink.ts';
import { tallySideBySide } from './side-by-side.ts';
import type { Tally } from './tally.ts';
import { runWorld } from './world.ts';

const SHOWN = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
  },
});
const { seed, first } = values;
if (first) process.exitCode = (await firstFailing(Number(values.from), Number(values.seeds))) ? 1 : 0;
else if (seed !== undefined) await replay(Number(seed));
else await explore(Number(values.from), Number(values.seeds));

/** Whether a seed breaks a rule: the first one that does ends the run, and what broke is told in a line. */
async function firstFailing(from: number, seeds: number): Promise<boolean> {
  for (let one = from; one < from + seeds; one += 1) {
    const [violation] = (await runWorld(planOf(one))).oracle.violations;
    if (violation === undefined) continue;
    say(`seed ${one}: ${violation.rule} ${violation.says}`);
    return true;
  }
  return false;
}

/** Runs seeds on all processors, and tells what they came to. */
async function explore(from: number, seeds: number): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const tally = await tallySideBySide({ from, seeds });
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
  if (values.json) return say(JSON.stringify({ ...tally, failpoints: [...tally.failpoints] }));
  summarize(tally, systemClock.monotonicMs() - startedMs);
  for (const { seed: failing } of tally.failures.slice(0, SHOWN)) await replay(failing);
}

function summarize(tally: Tally, tookMs: number): void {
  const { seeds, steps, captures, doubles, failures } = tally;
  say(`${seeds} seeds in ${(tookMs / 1_000).toFixed(1)} s (${Math.round((seeds * 1_000) / tookMs)}/s), ${steps} steps`);
  say(`${captures} captures; ${doubles} doubles where neither G1 nor G2 holds or a rule was broken`);
  for (const [name, counts] of Object.entries({
    assumed: tally.assumed,
    invoices: tally.states,
    refused: tally.refusals,
  }))
    say(`${name}: ${[...counts].map(([key, count]) => `${key} ${count}`).join(', ')}`);
  say(`${failures.length} violations`);
  const byRule = new Map<string, number[]>();
  for (const { seed: failing, violation } of failures)
    byRule.set(violation.rule, [...(byRule.get(violation.rule) ?? []), failing]);
  for (const { seed: failing, violation } of failures.slice(0, 25))
    say(`  seed ${failing}: ${violation.rule} ${violation.says}`);
  for (const [rule, failing] of byRule) say(`  ${rule}: ${failing.length}, seeds ${failing.slice(0, 8).join(', ')}`);
}

/** Shrinks a failing seed, and tells its story. One that does not fail is told as it is. */
async function replay(one: number): Promise<void> {
  const { oracle } = await runWorld(planOf(one));
  const [violation] = oracle.violations;
  const without = violation === undefined ? WHOLE : await shrink(one, violation.rule);
  const plan = planOf(one, without);
  const { faults, ...rest } = plan;
  say(`\nseed ${one}: ${violation === undefined ? 'no violation' : `${violation.rule}, ${violation.says}`}`);
  say(`needs ${FAULTS.filter((fault) => faults.has(fault)).join(', ')}; ${JSON.stringify(rest)}`);
  const told = await runWorld(plan, (atMs, who, what) =>
    say(`${new Date(atMs).toISOString()} ${who.padEnd(12)} ${what}`),
  );
  for (const { rule, says } of told.oracle.violations) say(`${rule}: ${says}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
