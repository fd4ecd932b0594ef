import { expect, test } from '@jest/globals';
import { plan, problemsOf, resolve } from './resolving.ts';

test('what is wrong in one setting and what is wrong between others is told at once', async () => {
  const problems = await problemsOf(
    resolve(
      {},
      {
        shedule: '* * * * *',
        channels: { a: { timeoutSeconds: 30, horizonSeconds: 29 }, b: { mode: 'life' } },
        dunning: { strict: { later: 'accumulate', end: 'cancel' }, gentle: 5 },
        plans: { p: { ...plan(9_900), policy: 'gentel' }, q: { ...plan(9_900), policy: 'gentle' }, r: { name: 'r' } },
      },
    ),
  );
  expect(problems.split('\n').toSorted()).toEqual([
    'channels.a.horizonSeconds is 29: it cannot be less than timeoutSeconds, 30',
    "channels.b.mode is 'life': use one of test, live",
    'dunning.gentle is 5: write an object',
    'dunning.strict.later is accumulate: it says something where end is unpaid, and that is cancel',
    "plans.p.policy is 'gentel', which is not under dunning; did you mean gentle?",
    'plans.r.amount is missing',
    'plans.r.currency is missing',
    'plans.r.interval is missing',
    'shedule is not a setting; did you mean schedule?',
  ]);
});

test('what may follow from a wrong setting is not told beside it', async () => {
  const wrong = {
    channels: { a: { timeoutSeconds: 30, horizonSeconds: '60' } },
    dunning: { default: { retryAfterDays: [1, 'x'], steps: [{ name: 'late', afterDays: 30 }] } },
    plans: { p: plan('9.9.0') },
  };
  const problems = await problemsOf(resolve({}, wrong));
  expect(problems.split('\n').map((problem) => problem.split(' ')[0])).toEqual([
    'channels.a.horizonSeconds',
    'plans.p.amount',
    'dunning.default.retryAfterDays.1',
  ]);
});
