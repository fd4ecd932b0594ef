import { expect, test } from '@jest/globals';
import { FAILPOINTS } from '../src/failpoints.ts';
import { repositoryFiles } from './support/repository.ts';
import { titlesIn } from './support/titles.ts';

const files = repositoryFiles();

test.each(['docs/lessons.md', 'docs/safety.md'])('every test that %s names is there', (path) => {
  const tests = files.filter((file) => /^test\/.*\.ts$/.test(file.path));
  const titles = new Set(tests.flatMap(({ text }) => titlesIn(text)));
  const source = files.find((file) => file.path === path)?.text ?? '';
  const cells = source
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').at(-1) ?? '');
  // A name of several words is a test's; commands, files and columns are one word, or begin like a command.
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  const ofTests = named.filter((name) => name.split(' ').length > 3 && !/^(npm|maedal) /.test(name));
  expect(ofTests.length).toBeGreaterThan(10);
  expect(ofTests.filter((name) => !titles.has(name))).toEqual([]);
});

test('every failpoint stands in the table of crash points', () => {
  const table = files.find(({ path }) => path === 'docs/safety.md')?.text ?? '';
  expect(FAILPOINTS.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});

test('only a whole title is a name: neither a part of one, nor what a test or a comment says', () => {
  const text = `
// a title of a comment
test('a rule', () => expect(of('a title in a call')).toBe(1));
test.each([
  ['a case of it', each('one')],
])('a rule for %s', (name) => {
  test.each\`a\`('a rule by a template', () => {});
});
describe.each<Kind>(['a kind'])("somebody's %s", () => {
  test(\`so many times\`, run, 60_000);
});
`;
  expect(titlesIn(text)).toEqual(['a rule', 'a rule for %s', 'a rule by a template', "somebody's %s", 'so many times']);
});
