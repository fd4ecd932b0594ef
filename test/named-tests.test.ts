import { expect, test } from '@jest/globals';
import { FAILPOINTS } from '../src/failpoints.ts';
import { repositoryFiles } from './support/repository.ts';

const files = repositoryFiles();

test.each(['docs/lessons.md', 'docs/safety.md'])('every test that %s names is there', (path) => {
  const tests = files.filter((file) => /^test\/.*\.ts$/.test(file.path)).map((file) => file.text);
  const source = files.find((file) => file.path === path)?.text ?? '';
  const cells = source
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').at(-1) ?? '');
  // A name of several words is a test's; commands, files and columns are one word, or begin like a command.
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  const ofTests = named.filter((name) => name.split(' ').length > 3 && !/^(npm|maedal) /.test(name));
  expect(ofTests.length).toBeGreaterThan(10);
  expect(ofTests.filter((name) => !tests.some((test) => test.includes(name)))).toEqual([]);
});

test('every failpoint stands in the table of crash points', () => {
  const table = files.find(({ path }) => path === 'docs/safety.md')?.text ?? '';
  expect(FAILPOINTS.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
