import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/clock.ts';
import { rewriteBlock } from '../report-block.ts';
import { type Edit, edited, type Mutant } from './mutant.ts';
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
  ...['src', 'test', 'prisma', 'examples', 'package.json', 'prisma.config.ts', 'jest.config.js'],
  ...['tsconfig.json', 'tsconfig.build.json', 'tsconfig.fault.json'],
];

const chosen = MUTANTS.filter(({ name }) => values.only === undefined || name.includes(values.only));
const survivors: string[] = [];
let longestSeconds = 0;
await demandHealth();
for (const mutant of chosen) {
  const startedMs = systemClock.monotonicMs();
  const verdict = await tryMutant(mutant);
  const seconds = Math.round((systemClock.monotonicMs() - startedMs) / 1_000);
  longestSeconds = Math.max(longestSeconds, seconds);
  if (verdict !== 'caught') survivors.push(mutant.name);
  say(`${verdict.padEnd(8)} ${`${seconds}`.padStart(4)} s  ${mutant.catcher.padEnd(38)} ${mutant.name}`);
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
    for (const catcher of new Set(chosen.map((mutant) => mutant.catcher))) {
      const verdict = await judge(home, catcher);
      if (verdict !== 'survived') throw new Error(`${catcher} is red without any mutant (${verdict})`);
    }
  });
}

type Verdict = 'caught' | 'survived' | 'broken';

async function tryMutant({ edits, catcher }: Mutant): Promise<Verdict> {
  return inCopy(async (home) => {
    for (const edit of edits) await plant(home, edit);
    const typed = await run(home, ['npx', 'tsc', '-p', 'tsconfig.json', '--noUnusedLocals', 'false']);
    return typed === 0 ? judge(home, catcher) : 'broken';
  });
}

async function inCopy<Result>(work: (home: string) => Promise<Result>): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), 'maedal-mutant-'));
  try {
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

async function judge(home: string, catcher: Mutant['catcher']): Promise<Verdict> {
  if (catcher === 'model') {
    const built = await run(home, ['npx', 'tsc', '-p', 'tsconfig.fault.json', '--noUnusedLocals', 'false']);
    if (built !== 0) return 'broken';
    const code = await run(home, ['node', 'build/test/fault/model/run.js', '--first', '--seeds', values.seeds]);
    return code === 0 ? 'survived' : 'caught';
  }
  const code = await run(home, ['npx', 'jest', catcher]);
  return code === 0 ? 'survived' : 'caught';
}

/** The exit code; 0 as well when the time is up, for then nothing was caught. */
async function run(cwd: string, [command = '', ...args]: readonly string[]): Promise<number> {
  const NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const child = spawn(command, args, { cwd, env: { ...process.env, NODE_OPTIONS }, stdio: 'ignore', detached: true });
  const stop = systemClock.after(LIMIT_MS, () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  const [code]: (number | null)[] = await once(child, 'exit');
  stop();
  return code ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
