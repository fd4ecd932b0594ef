import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { claimDirectory, DataDirBusyError } from '../../src/embedded/ownership.ts';
import { type Child, runInChild, signalGroup } from './child.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maedal-test-claim-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

/** Another process that owns the directory. */
async function owner(): Promise<Child> {
  const child = runInChild(`
    const { claimDirectory } = await load('src/embedded/ownership.ts');
    await claimDirectory(${JSON.stringify(dir)});
    tell('claimed');
    stay();
  `);
  expect(await child.nextLine()).toBe('claimed');
  return child;
}

test('a directory has one owner: the second is refused while the first lives, and told who it is', async () => {
  const first = await owner();
  const refused = claimDirectory(dir);
  await expect(refused).rejects.toThrow(DataDirBusyError);
  await expect(refused).rejects.toMatchObject({ pid: first.pid });
  await expect(refused).rejects.toThrow(`kill ${first.pid}`);
  await signalGroup(first, 'SIGKILL');
});

test('an owner that was killed is succeeded, and leaves nothing behind', async () => {
  await signalGroup(await owner(), 'SIGKILL');
  const claim = await claimDirectory(dir);
  expect(await readdir(dir)).toHaveLength(1);
  await claim.release();
  expect(await readdir(dir)).toEqual([]);
});

test('a process that merely has the id of a dead owner does not keep the directory', async () => {
  const { release } = await claimDirectory(dir);
  const [name = ''] = await readdir(dir);
  const ours = JSON.parse(await readFile(join(dir, name), 'utf8'));
  await release();
  await writeFile(join(dir, name), JSON.stringify({ ...ours, mark: `${ours.mark}0` }));
  await expect(claimDirectory(dir)).resolves.toBeDefined();
});

test('a claim that a power cut left empty is nobody’s', async () => {
  await writeFile(join(dir, 'owner-7.json'), '');
  const { release } = await claimDirectory(dir);
  await release();
  expect(await readdir(dir)).toEqual([]);
});

test('a directory that was released can be claimed again, in this process too', async () => {
  const { release } = await claimDirectory(dir);
  await expect(claimDirectory(dir)).rejects.toThrow(DataDirBusyError);
  await release();
  await release();
  await expect(claimDirectory(dir)).resolves.toBeDefined();
});

test.each([
  ['an unowned directory', async () => undefined],
  ['the directory of a killed owner', async () => signalGroup(await owner(), 'SIGKILL')],
])('of many that want %s at once, one gets it', async (_, prepare) => {
  await prepare();
  const claims = await Promise.allSettled(Array.from({ length: 20 }, () => claimDirectory(dir)));
  expect(claims.filter((claim) => claim.status === 'fulfilled')).toHaveLength(1);
  for (const claim of claims) if (claim.status === 'rejected') expect(claim.reason).toBeInstanceOf(DataDirBusyError);
});

test('of many processes that want a killed owner’s directory at once, one gets it', async () => {
  await signalGroup(await owner(), 'SIGKILL');
  const contenders = Array.from({ length: 4 }, () =>
    runInChild(`
      const { claimDirectory } = await load('src/embedded/ownership.ts');
      tell(await claimDirectory(${JSON.stringify(dir)}).then(() => 'won', (error) => error.name));
      stay();
    `),
  );
  const results = await Promise.all(contenders.map((contender) => contender.nextLine()));
  expect(results.sort()).toEqual(['DataDirBusyError', 'DataDirBusyError', 'DataDirBusyError', 'won']);
  for (const contender of contenders) await signalGroup(contender, 'SIGKILL');
});
