import { expect, test } from '@jest/globals';
import { repositoryFiles } from '../support/repository.ts';

/** Columns whose instant nobody has to be woken for, and why. */
const ASIDE: Readonly<Record<string, string>> = {
  expires_at: 'sessions of the console end when somebody looks',
  last_seen_at: 'as above',
  sent_at: "a condition beside a refund's own instant",
  look_at: 'webhooks are looked up: none is sent to a simulation',
  received_at: 'as above',
  handled_at: 'as above',
  gives_up_at: 'events are told to endpoints: a simulation has none',
  rests_until: "a condition beside an attempt's own instant",
  schedules_again_at: 'the gateway of a simulation has no schedules',
  spaced_until: "a condition beside an invoice's own instant",
};

test('whatever falls due by a column of the database is among what a simulation jumps to', () => {
  const statements = repositoryFiles().filter(({ path }) => /^src\/store\/[\w-]+\.ts$/.test(path));
  const found = statements.flatMap(({ text }) =>
    [...text.matchAll(/(\w+) <= maedal_now\(\)/g)].map(([, name]) => name),
  );
  const columns = [...new Set(found)].filter((name) => name !== undefined && !(name in ASIDE));
  expect(columns).toEqual(expect.arrayContaining(['next_due_at', 'next_at', 'lease_until', 'watch_at', 'account_at']));
  const upcoming = statements.find(({ path }) => path === 'src/store/upcoming.ts')?.text ?? '';
  expect(columns.filter((name) => !upcoming.includes(name ?? ''))).toEqual([]);
});
