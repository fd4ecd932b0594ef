import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import { ROOT } from '../../support/repository.ts';

const SEEDS = 20_000;
/** Beside those of refunds, audits, hooks, hints and what is told, which have no part in these worlds, and one that a revival beside a retry passes. */
const PASSED = FAILPOINTS.filter(
  (name) =>
    !/^(refund|audit|hooks?|hints?|events|delivery|function)\.|^(charge\.in_flight|living\.withdrawn)$/.test(name),
);

test(`in ${SEEDS} worlds of faults nobody is charged twice, and nothing is lost`, async () => {
  const tally = await runModel();
  expect(tally.failures).toEqual([]); // `npm run test:model -- --seed N` tells the story of one
  expect(tally.seeds).toBe(SEEDS);
  // Where neither assumption holds there are doubles, and each of them was put up for refund or for a person.
  expect(tally.doubles).toBeGreaterThan(50);
  expect(PASSED.filter((name) => !tally.failpoints.includes(name))).toEqual([]);
}, 600_000);

type Told = {
  readonly seeds: number;
  readonly doubles: number;
  readonly failures: unknown[];
  readonly failpoints: string[];
};

/** Compiled and in a process of its own: under jest it takes three times as long. */
async function runModel(): Promise<Told> {
  const directory = await mkdtemp(join(tmpdir(), 'maedal-model-'));
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await run([tsc, '-p', 'tsconfig.fault.json', '--outDir', directory]);
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    return JSON.parse(await run([join(directory, 'test/fault/model/run.js'), '--json', '--seeds', String(SEEDS)]));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a program says, whether or not it found something. */
async function run(args: readonly string[]): Promise<string> {
  const options = { cwd: ROOT, maxBuffer: 64 * 1_024 * 1_024 };
  const said = await promisify(execFile)(process.execPath, args, options).catch((error: { stdout?: string }) => error);
  return said.stdout ?? '';
}
