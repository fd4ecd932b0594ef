import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { InputError } from '../../src/billing/errors.ts';
import { notedHome } from '../../src/embedded/place.ts';

let dir: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'maedal-test-place-')));
  await mkdir(join(dir, 'a'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

function writeNote(inside: string, of: string): Promise<void> {
  const note = JSON.stringify({ database: '/var/lib/maedal/0123', of: join(dir, of) });
  return writeFile(join(dir, inside, 'the-database-is-elsewhere.json'), note);
}

test('a data directory without a note keeps its database itself', async () => {
  expect(await notedHome(join(dir, 'a'))).toBeNull();
});

test('a data directory that was moved takes its note, and so its database, along', async () => {
  await writeNote('a', 'a');
  await rename(join(dir, 'a'), join(dir, 'b'));
  expect(await notedHome(join(dir, 'b'))).toBe('/var/lib/maedal/0123');
  await mkdir(join(dir, 'a'));
  await writeNote('a', 'a'); // a new one in the old place does not make the moved one a copy
  expect(await notedHome(join(dir, 'b'))).toBe('/var/lib/maedal/0123');
});

test('a copy of a data directory does not share the database of the original', async () => {
  await mkdir(join(dir, 'b'));
  await writeNote('a', 'a');
  await writeNote('b', 'a');
  await expect(notedHome(join(dir, 'b'))).rejects.toThrow(InputError);
  expect(await notedHome(join(dir, 'a'))).toBe('/var/lib/maedal/0123');
});
