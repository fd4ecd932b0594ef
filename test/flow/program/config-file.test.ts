import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { builtMain } from '../../support/built.ts';
import { type Maedal, runMaedal } from '../../support/process.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-config-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

async function billWith(name: string, config: string): Promise<Maedal> {
  const path = join(home, name);
  await writeFile(path, config);
  return runMaedal(builtMain(), ['bill'], { MAEDAL_CONFIG: path, MAEDAL_DATA_DIR: join(home, 'data') }, home);
}

test.each([
  ['waits.mjs', 'await new Promise(() => {}); export default {};'],
  ['promises.mjs', 'export default new Promise(() => {});'],
])('a file that never finishes loading is named, with exit 2: %s', async (name, config) => {
  const maedal = await billWith(name, config);
  await maedal.line(new RegExp(`${name} did not finish loading within 10 s`));
  expect(await maedal.ended).toBe(2);
});

test('a file that ends the process is no success: it is named, with exit 2', async () => {
  const maedal = await billWith('exits.mjs', 'process.exit(0);');
  await maedal.line(/exits\.mjs ended the process/);
  expect(await maedal.ended).toBe(2);
});

test('a file that loops can be stopped', async () => {
  const maedal = await billWith('loops.mjs', 'console.log("looping"); for (;;);');
  await maedal.line(/looping/);
  maedal.kill('SIGTERM');
  expect(await maedal.ended).toBe('SIGTERM');
});
