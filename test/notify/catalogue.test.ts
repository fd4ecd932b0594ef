import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { repositoryFiles } from '../support/repository.ts';

test('docs/events.md has every kind of event that is ever told', () => {
  const sources = repositoryFiles().filter(({ path }) => /^(src\/(billing|store)\/.*\.ts|prisma\/.*\.sql)$/.test(path));
  const words = sources.flatMap(({ text }) => text.match(KIND) ?? []);
  const kinds = new Set(words.map((word) => word.replaceAll("'", '')).filter((kind) => !ONLY_IN_THE_AUDIT.has(kind)));
  expect(kinds.size).toBeGreaterThan(30);
  const page = readFileSync('docs/events.md', 'utf8');
  expect([...kinds].filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
});

const KIND = /'(charge|invoice|billing_key|dunning|refund|subscription|sending|audit|endpoint)\.[a-z_]+'/g;
const ONLY_IN_THE_AUDIT = new Set([
  'sending.on',
  'sending.off',
  'refund.requested',
  'refund.approved',
  'audit.finished',
]);
