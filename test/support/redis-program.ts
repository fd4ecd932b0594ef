import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './repository.ts';

/** A `redis-server` that runs here, and where its libraries are (`LD_LIBRARY_PATH`; empty for an installed one). */
export type RedisProgram = { readonly path: string; readonly libraryPath: string };

/**
 * The `redis-server` on the PATH, else the one of Debian's packages, unpacked into a git-ignored folder; nothing is
 * installed. Throws with the one command that helps where neither can be had.
 */
export async function findRedis(): Promise<RedisProgram> {
  const installed = { path: 'redis-server', libraryPath: '' };
  if (await runs(installed)) return installed;
  if (await runs(await unpacked())) return unpacked();
  try {
    await unpack();
    if (await runs(await unpacked())) return await unpacked();
  } catch (cause) {
    throw new Error(REMEDY, { cause });
  }
  throw new Error(REMEDY);
}

async function unpacked(): Promise<RedisProgram> {
  const libraries: string[] = [];
  for (const folder of ['usr/lib', 'lib']) {
    const names = await readdir(join(UNPACKED, folder)).catch(() => []);
    // x86_64-linux-gnu, aarch64-linux-gnu, arm-linux-gnueabihf
    libraries.push(...names.filter((name) => name.includes('-linux-gnu')).map((name) => join(UNPACKED, folder, name)));
  }
  return { path: join(UNPACKED, 'redis-server'), libraryPath: libraries.join(':') };
}

async function runs({ path, libraryPath }: RedisProgram): Promise<boolean> {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath };
  return run(path, ['--version'], { env }).then(
    ({ stdout }) => stdout.startsWith('Redis server'),
    () => false,
  );
}

/** Of two test runs that unpack at once, the second finds it done. */
async function unpack(): Promise<void> {
  const part = `${UNPACKED}.part-${randomUUID()}`;
  await mkdir(part, { recursive: true });
  try {
    await download(part);
    for (const name of await readdir(part)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', name, '.'], { cwd: part });
    }
    // One binary under several names; by its name it knows what to be.
    await copyFile(join(part, 'usr/bin/redis-check-rdb'), join(part, 'redis-server'));
    await rm(UNPACKED, { recursive: true, force: true });
    await rename(part, UNPACKED);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** With the system's package lists; where they are empty or old, with lists of our own, which any user may fetch. */
async function download(dir: string): Promise<void> {
  const fetch = ['download', ...PACKAGES];
  const unboxed = ['-o', 'APT::Sandbox::User=root']; // its own user may not enter every directory of ours
  try {
    await run('apt-get', [...unboxed, ...fetch], { cwd: dir });
  } catch {
    await mkdir(join(dir, 'apt/lists/partial'), { recursive: true });
    await mkdir(join(dir, 'apt/cache/archives/partial'), { recursive: true });
    const own = [...unboxed, '-o', `Dir::State::lists=${dir}/apt/lists`, '-o', `Dir::Cache=${dir}/apt/cache`];
    await run('apt-get', [...own, 'update'], { cwd: dir });
    await run('apt-get', [...own, ...fetch], { cwd: dir });
  }
  await rm(join(dir, 'apt'), { recursive: true, force: true });
}

function run(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }) {
  return promisify(execFile)(program, [...args], { timeout: 180_000, ...options });
}

const UNPACKED = join(ROOT, 'node_modules/.cache/maedal-redis', arch());
const PACKAGES = ['redis-tools', 'liblzf1', 'liblua5.1-0', 'lua-cjson', 'lua-bitop', 'libjemalloc2', 'libatomic1'];
const INSTALL = process.platform === 'darwin' ? 'brew install redis' : 'apt-get install -y redis-server';
const REMEDY = `the tests need a Redis, and none could be had: run \`${INSTALL}\`, or set REDIS_URL to an empty one`;
