import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/clock.ts';
import { rewriteBlock } from '../report-block.ts';
import { type Catcher, catchersOf, type Edit, edited, type Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/**
 * Plants each bug in a copy of the repository, has it caught, and prints the score. Exits with 1 if one survives.
 * `--report FILE` writes the score into its place in a document.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '20000' },
    report: { type: 'string' },
  },
});
const LIMIT_MS = 300_000;
const COPIED = [
  ...['src', 'test', 'prisma', 'examples', 'package.json', 'bundle.js', 'prisma.config.ts', 'jest.config.js'],
  ...['tsconfig.json', 'tsconfig.fault.json'],
];

const chosen = MUTANTS.filter(({ name }) => values.only === undefined || name.includes(values.only));
const survivors: string[] = [];
let longestSeconds = 0;
await demandHealth();
for (const mutant of chosen) {
  const verdicts: Verdict[] = [];
  for (const catcher of catchersOf(mutant)) verdicts.push(await tryMutant(mutant, catcher));
  if (verdicts.some((verdict) => verdict !== 'caught')) survivors.push(mutant.name);
}
const score = { caught: chosen.length - survivors.length, total: chosen.length };
say(`${score.caught} of ${score.total} mutants caught`);
if (values.report !== undefined) {
  const only = values.only === undefined ? '' : ` --only '${values.only}'`;
  const command = `npm run test:mutants -- --seeds ${values.seeds}${only}`;
  const day = new Date(systemClock.nowMs()).toISOString().slice(0, 10);
  const left = survivors.length === 0 ? '' : ` Survivors: ${survivors.join('; ')}.`;
  const line = `${score.caught} of ${score.total} caught, each within ${longestSeconds} s.${left} ${day}, \`${command}\``;
  await rewriteBlock(values.report, 'mutants', () => `${line}\n`);
}
process.exitCode = survivors.length > 0 ? 1 : 0;

/** What catches a bug must be silent without one: a catcher that is red anyway would catch everything. */
async function demandHealth(): Promise<void> {
  await inCopy(async (home) => {
    for (const catcher of new Set(chosen.flatMap(catchersOf))) {
      const verdict = await judge(home, catcher);
      if (verdict !== 'survived') throw new Error(`${catcher} is red without any mutant (${verdict})`);
    }
  });
}

type Verdict = 'caught' | 'survived' | 'broken';

async function tryMutant({ name, edits }: Mutant, catcher: Catcher): Promise<Verdict> {
  const startedMs = systemClock.monotonicMs();
  const verdict = await inCopy(async (home) => {
    for (const edit of edits) await plant(home, edit);
    const typed = await run(home, ['npx', 'tsc', '-p', 'tsconfig.json', '--noUnusedLocals', 'false']);
    return typed === 0 ? judge(home, catcher) : 'broken';
  });
  const seconds = Math.round((systemClock.monotonicMs() - startedMs) / 1_000);
  longestSeconds = Math.max(longestSeconds, seconds);
  say(`${verdict.padEnd(8)} ${`${seconds}`.padStart(4)} s  ${catcher.padEnd(38)} ${name}`);
  return verdict;
}

async function inCopy<Result>(work: (home: string) => Promise<Result>): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), 'maedal-mutant-'));
  try {
    await chmod(home, 0o755); // a campaign's database may run as another user
    for (const name of COPIED) await cp(name, join(home, name), { recursive: true });
    await symlink(join(process.cwd(), 'node_modules'), join(home, 'node_modules'));
    return await work(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function plant(home: string, edit: Edit): Promise<void> {
  const path = join(home, edit.file);
  await writeFile(path, edited(await readFile(path, 'utf8'), edit));
}

async function judge(home: string, catcher: Catcher): Promise<Verdict> {
  if (catcher === 'model') {
    if (!(await compile(home, 'tsconfig.fault.json'))) return 'broken';
    const code = await run(home, ['node', 'build/test/fault/model/run.js', '--first', '--seeds', values.seeds]);
    return code === 0 ? 'survived' : 'caught';
  }
  if (catcher.startsWith('campaign ')) return judgeByCampaign(home, catcher.split(' ').slice(1));
  const code = await run(home, ['npx', 'jest', catcher]);
  return code === 0 ? 'survived' : 'caught';
}

/** Broken rules end a campaign with 1; one that could not be run to its end has caught nothing. */
async function judgeByCampaign(home: string, args: readonly string[]): Promise<Verdict> {
  const isBuilt = (await run(home, ['node', 'bundle.js'])) === 0 && (await compile(home, 'tsconfig.fault.json'));
  if (!isBuilt) return 'broken';
  const code = await run(home, ['node', 'build/test/fault/campaign/run.js', ...args]);
  if (code === 0) return 'survived';
  return code === 1 ? 'caught' : 'broken';
}

async function compile(home: string, project: string): Promise<boolean> {
  return (await run(home, ['npx', 'tsc', '-p', project, '--noUnusedLocals', 'false'])) === 0;
}

/** The exit code; 0 as well when the time is up, for then nothing was caught. */
async function run(cwd: string, [command = '', ...args]: readonly string[]): Promise<number> {
  const NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  // What a campaign keeps of a bug that it found goes with the copy.
  const env = { ...process.env, NODE_OPTIONS, TMPDIR: cwd };
  const child = spawn(command, args, { cwd, env, stdio: 'ignore', detached: true });
  const stop = systemClock.after(LIMIT_MS, () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  const [code]: (number | null)[] = await once(child, 'exit');
  stop();
  return code ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
