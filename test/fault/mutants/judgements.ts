import type { Mutant } from './mutant.ts';

/** What the gateway said is read for what it is, and not for what one would like it to be. */
export const JUDGEMENTS: readonly Mutant[] = [
  {
    name: 'a repeated id that is refused is taken for a decline',
    catcher: 'test/billing/outcome.test.ts',
    edits: [
      { file: 'src/billing/outcome.ts', find: 'refusal.duplicate || refusal.decline', replace: 'refusal.decline' },
    ],
  },
  {
    name: 'of several captures the latest is kept',
    catcher: 'test/billing/outcome.test.ts',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: '(one.paidAtMs ?? 0) - (other.paidAtMs ?? 0)',
        replace: '(other.paidAtMs ?? 0) - (one.paidAtMs ?? 0)',
      },
    ],
  },
  {
    name: 'a decline from before a send is taken for its answer',
    catcher: 'test/billing/outcome.test.ts',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: 'failed.filter((record) => !asked.seenBefore.has(record.impUid))',
        replace: 'failed',
      },
    ],
  },
  {
    name: 'one answer "not found" is enough',
    catcher: 'test/billing/absence.test.ts',
    edits: [{ file: 'src/billing/absence.ts', find: 'const ANSWERS = 3;', replace: 'const ANSWERS = 1;' }],
  },
  {
    name: 'a late capture does not wait for the attempt that is on its way',
    catcher: 'test/billing/capture.test.ts',
    edits: [
      {
        file: 'src/billing/capture.ts',
        find: "return sibling?.hold === 'leased' || sibling?.state === 'sent' || sibling?.state === 'unknown';",
        replace: "return sibling?.hold === 'leased';",
      },
    ],
  },
  {
    name: 'a capture beside a review waits, and nobody is told',
    catcher: 'test/flow/captures.test.ts',
    edits: [
      {
        file: 'src/billing/capture.ts',
        find: '  if (isInReview(attempt)) return',
        replace: "  if (isInReview(attempt)) return capture.cancelMinor === 0 ? { kind: 'wait' } :",
      },
    ],
  },
  {
    name: 'what a review left prepared is settled when it lands, and refused for ever',
    catcher: 'test/flow/left-behind.test.ts',
    edits: [
      {
        file: 'src/billing/capture.ts',
        find: '  if (isLeftBehind(attempt)) return inReview(capture);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'what was withdrawn without an answer bars no other id',
    catcher: 'test/flow/ways-out.test.ts',
    edits: [
      {
        file: 'prisma/migrations/20261127100000_unsettled/migration.sql',
        find: "a.state IN ('review', 'canceled') AND",
        replace: "a.state IN ('review') AND",
      },
    ],
  },
  {
    name: 'what a person counts is given back all the same',
    catcher: 'test/flow/ways-out.test.ts',
    edits: [
      {
        file: 'src/store/interventions.ts',
        find: "refund.imp_uid = payment.imp_uid AND refund.state = 'prepared'",
        replace: "refund.imp_uid = payment.imp_uid AND refund.state = 'unknown'",
      },
    ],
  },
  {
    name: 'an audit believes an empty list',
    catcher: 'test/flow/audit-differences.test.ts',
    edits: [
      {
        file: 'src/scheduler/audit-missing.ts',
        find: 'if (tally.ours === 0) {',
        replace: 'if (tally.ours < 0) {',
      },
    ],
  },
  {
    name: 'what nobody asked for is given back without a look at what is to stay',
    catcher: 'test/flow/refund.test.ts',
    edits: [
      {
        file: 'src/worker/refund.ts',
        find: 'if (keeps === null) return null;',
        replace: 'if (keeps !== undefined) return null;',
      },
    ],
  },
  {
    name: 'a gateway whose clock disagrees is charged at',
    catcher: 'test/flow/clock.test.ts',
    edits: [
      {
        file: 'src/worker/before-sending.ts',
        find: 'const CLOCKS_AGREE_MS = 300_000;',
        replace: 'const CLOCKS_AGREE_MS = Number.POSITIVE_INFINITY;',
      },
    ],
  },
];
