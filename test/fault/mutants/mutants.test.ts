import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../../support/repository.ts';
import { catchersOf, edited } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test.each(MUTANTS)('what is to be broken is still there, and what is to catch it: $name', ({ edits, ...mutant }) => {
  const texts = new Map<string, string>();
  for (const edit of edits) texts.set(edit.file, edited(texts.get(edit.file) ?? read(edit.file), edit));
  for (const [file, text] of texts) expect(text).not.toBe(read(file));
  const files = catchersOf({ edits, ...mutant }).filter((catcher) => catcher.startsWith('test/'));
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('no two planted bugs have one name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});
