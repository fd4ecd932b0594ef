import type { Mutant } from './mutant.ts';

/** What is written down of a charge, and what follows from it. */
export const RECORDS: readonly Mutant[] = [
  {
    name: 'a decline frees the next id although a send is unanswered',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/dunning.ts',
        find: 'const barredUntil = unanswered > 0 ?',
        replace: 'const barredUntil = unanswered > 99 ?',
      },
    ],
  },
  {
    name: 'a capture that nobody was waiting for is forgotten',
    catcher: 'model',
    edits: [
      {
        file: 'src/scheduler/account-captures.ts',
        find: '  const captures = await deps.store.unaccountedCaptures(BATCH, deps.sandbox);',
        replace: '  const captures = (await deps.store.unaccountedCaptures(BATCH, deps.sandbox)).slice(0, 0);',
      },
    ],
  },
  {
    name: 'a late decline overrules whoever has the attempt now',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/transition.ts',
        find: "    from: ['sent', 'unknown'] as const,\n    fence: 'fenced' as const,",
        replace: "    from: ['sent', 'unknown'] as const,\n    fence: 'unfenced' as const,",
      },
    ],
  },
];
