import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './repository.ts';

/** maedal as it is shipped, built from the sources of this moment into a directory of its own. */
type Built = {
  /** The program: run it with `node`. */
  readonly main: string;
  stop(): Promise<void>;
};

/** Bundles the sources as `npm run build` does, without their types: those are checked by `npm run check`. */
export async function buildMaedal(): Promise<Built> {
  const directory = await mkdtemp(join(tmpdir(), 'maedal-built-'));
  await promisify(execFile)(process.execPath, [join(ROOT, 'bundle.js'), join(directory, 'dist')]);
  for (const part of ['package.json', 'prisma', 'examples'])
    await cp(join(ROOT, part), join(directory, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return { main: join(directory, 'dist', 'main.js'), stop: () => rm(directory, { recursive: true, force: true }) };
}

/** The program that was built for this run of the tests; one for all of them. Nobody writes beside it. */
export function builtMain(): string {
  const main = process.env.TEST_MAEDAL_MAIN;
  if (main === undefined) throw new Error('TEST_MAEDAL_MAIN is not set; run the tests with `npm test`');
  return main;
}
