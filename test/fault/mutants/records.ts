import type { Mutant } from './mutant.ts';

/** What is written down of a charge, and what follows from it. */
export const RECORDS: readonly Mutant[] = [
  {
    name: 'a decline frees the next id although a send is unanswered',
    // The intent would refuse it all the same: only what is decided shows it.
    catcher: 'test/billing/transition.test.ts',
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
        file: 'src/billing/after-decline.ts',
        find: "'unknown'] : ['sent', 'unknown'],\n    fence: 'fenced',",
        replace: "'unknown'] : ['sent', 'unknown'],\n    fence: 'unfenced',",
      },
    ],
  },
  {
    name: 'a record that threw is taken for one that was rolled back: the charge is put back as not sent',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/conclude.ts',
        find: '  const stands = await store.record(attempt, next);',
        replace:
          "  const invoice = { state: 'open', nextAt: attempt.now } as const;\n  const back = { state: 'prepared', notSent: true } as const;\n  const stands = await store\n    .record(attempt, next)\n    .catch(() => store.record(attempt, { ...next, from: ['sent', 'unknown'], attempt: back, invoice, events: [] }));",
      },
    ],
  },
  {
    name: 'an answer is a fact only while its sender has the attempt',
    catcher: 'test/flow/captures.test.ts',
    also: ['model'],
    edits: [
      {
        file: 'src/store/observations.ts',
        find: '     ORDER BY r.imp_uid,',
        replace:
          "     WHERE ${learntBy} <> 'answer' OR EXISTS (\n       SELECT FROM attempt WHERE attempt.merchant_uid = r.merchant_uid AND attempt.lease_until > maedal_now())\n     ORDER BY r.imp_uid,",
      },
      {
        file: 'test/fault/model/store/observing.ts',
        find: '    const seen = asSeen(',
        replace:
          "    const isHeld = ({ merchant_uid, lease_until }: AttemptRow) =>\n      merchant_uid === record.merchantUid && (lease_until ?? 0) > tables.nowMs;\n    if (learntBy === 'answer' && tables.attempts.where(isHeld).length === 0) continue;\n    const seen = asSeen(",
      },
      {
        file: 'test/fault/model/store/observing.ts',
        find: 'import type { ObservationRow }',
        replace: 'import type { AttemptRow, ObservationRow }',
      },
    ],
  },
  {
    name: 'a cancellation is forgotten with the payment that is recorded after it',
    catcher: 'test/flow/cancelled-meanwhile.test.ts',
    also: ['model'], // which keeps its rows in memory
    edits: [
      { file: 'src/store/record.ts', find: "(observation.status = 'paid' AND ", replace: '(' },
      {
        file: 'test/fault/model/store/recording.ts',
        find: "seen.status === 'paid' && seen.amount",
        replace: 'seen.amount',
      },
    ],
  },
  {
    name: 'a cancellation is forgotten with the part of it that was accounted for',
    catcher: 'test/flow/cancelled-meanwhile.test.ts',
    edits: [
      {
        file: 'src/store/captures.ts',
        find: ' AND observation.cancel_amount = ${cancelMinor}::bigint\n',
        replace: ' AND ${cancelMinor}::bigint IS NOT NULL\n',
      },
    ],
  },
  {
    name: 'what was captured twice is given back although the first was cancelled since',
    catcher: 'test/flow/cancelled-meanwhile.test.ts',
    edits: [
      {
        file: 'src/store/captures.ts',
        find: ' AND attempt.state = ${attempt.state}\n',
        replace: ' AND ${attempt.state} IS NOT NULL\n',
      },
      {
        file: 'src/store/captures.ts',
        find: ' AND invoice.state = ${attempt.invoice} FOR',
        replace: ' AND ${attempt.invoice} IS NOT NULL FOR',
      },
    ],
  },
];
