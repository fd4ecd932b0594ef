import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from '@jest/globals';

/** A new directory, removed when the test file is done. */
export function newDir(): string {
  return mkdtempSync(join(root, 'dir-'));
}

/** Writes a file that only its owner may change, and answers its path. */
export function file(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

const root = mkdtempSync(join(tmpdir(), 'maedal-config-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
