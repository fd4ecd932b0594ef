import type { Mutant } from './mutant.ts';

/** How answers and look-ups are read: what is unknown is taken for known, or not looked at. */
export const READINGS: readonly Mutant[] = [
  {
    name: 'a timeout is taken for a decline',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return answer;\n    case 'unknown':\n      return answer.restSeconds === undefined\n        ? { kind: 'unknown', reason: answer.reason }\n",
        replace:
          "      return answer;\n    case 'unknown':\n      return answer.restSeconds === undefined\n        ? { kind: 'rejected', decline: UNSAID, unanswered: 0 }\n",
      },
    ],
  },
  {
    name: '"not found" makes room for another id',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return { kind: 'not-found', horizon: asked.horizon };",
        replace: "      return { kind: 'rejected', decline: UNSAID, unanswered: 0 };",
      },
    ],
  },
  {
    name: '"not found" sends the same id again at once, without a horizon',
    catcher: 'model',
    also: ['campaign --classes gateway --charges 300 --backend postgres --duplicates accept --late 0.9'],
    edits: [
      {
        file: 'src/billing/absence.ts',
        find: 'return notFound >= ANSWERS && isHorizonOver(sentAt, now, reach);',
        replace: 'return notFound > 0 || isHorizonOver(sentAt, now, reach) || ANSWERS > 0;',
      },
    ],
  },
  {
    name: 'nobody looks before a send',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: '  const seen: string[] = [];\n',
        replace: '  const seen: string[] = [];\n  if (seen.length === 0) return CLEAR;\n',
      },
    ],
  },
  {
    name: 'only the newest record of an id is looked at',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: '      return judgeRecords(answer.records, asked);',
        replace: '      return judgeRecords(answer.records.slice(0, 1), asked);',
      },
      {
        file: 'src/worker/look-before-sending.ts',
        find: "  await deps.store.observe(answer.records, 'look_up');",
        replace: "  await deps.store.observe(answer.records.slice(0, 1), 'look_up');",
      },
      {
        file: 'src/worker/look-before-sending.ts',
        find: 'alreadyCharged(deps, attempt, merchantUid, answer.records);',
        replace: 'alreadyCharged(deps, attempt, merchantUid, answer.records.slice(0, 1));',
      },
      {
        file: 'src/worker/charge-invoice.ts',
        find: "await deps.store.observe(lookUp.records, 'look_up');",
        replace: "await deps.store.observe(lookUp.records.slice(0, 1), 'look_up');",
      },
      {
        file: 'src/worker/reconcile.ts',
        find: "await deps.store.observe(answer.records, 'look_up');",
        replace: "await deps.store.observe(answer.records.slice(0, 1), 'look_up');",
      },
      {
        file: 'src/scheduler/late-watch.ts',
        find: "await deps.store.observe(answer.records, 'look_up');",
        replace: "await deps.store.observe(answer.records.slice(0, 1), 'look_up');",
      },
    ],
  },
  {
    name: 'the clock of the host says whether a capture may still land',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/reconcile.ts',
        find: "import { mayBeProvedAbsent } from '../billing/absence.ts';",
        replace: "import { DateTime } from 'luxon';\nimport { mayBeProvedAbsent } from '../billing/absence.ts';",
      },
      {
        file: 'src/worker/reconcile.ts',
        find: '  const { sentAt, now, notFoundCount } = attempt;',
        replace: '  const { sentAt, notFoundCount } = attempt;\n  const now = DateTime.fromMillis(deps.clock.nowMs());',
      },
    ],
  },
  {
    name: 'the canary is not asked for',
    catcher: 'model',
    edits: [
      {
        file: 'src/gateway/canary.ts',
        find: 'if (records.some(',
        replace: 'if (records.length >= 0 || records.some(',
      },
    ],
  },
  {
    name: 'when the quarantine is over, "not found" is believed without a canary',
    catcher: 'test/flow/look.test.ts',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: 'isUnanswered ||= known.isUnanswered;',
        replace: 'isUnanswered ||= known.isUnanswered && seen.length > 99;',
      },
    ],
  },
  {
    name: 'a look-up asks for the first page only',
    catcher: 'test/gateway/portone/look-up.test.ts',
    edits: [
      { file: 'src/gateway/portone/look-up.ts', find: 'if (page.next === 0)', replace: 'if (page.next >= 0)' },
      {
        file: 'src/gateway/portone/look-up.ts',
        find: '  if (records.length !== total)',
        replace: '  if (records.length > total)',
      },
    ],
  },
  {
    name: 'the ids that a restored database forgot are not looked up',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: "attempt.audit === 'passed' ? CLEAR : await lookForForgotten(",
        replace: "attempt.audit === 'passed' || attempt.number > 0 ? CLEAR : await lookForForgotten(",
      },
    ],
  },
  {
    name: 'what a restored database forgot is looked for as far as the ladder goes, and no further',
    catcher: 'test/flow/restored.test.ts',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: 'const FURTHER = 3;',
        replace: 'const FURTHER = 0;',
      },
    ],
  },
  {
    name: 'a restored database believes "not found" without a canary',
    catcher: 'test/flow/restored.test.ts',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: "isUnanswered || attempt.audit !== 'passed';",
        replace: 'isUnanswered;',
      },
    ],
  },
  {
    name: 'what the gateway never settles is looked at for ever',
    catcher: 'test/flow/unsettled.test.ts',
    edits: [
      {
        file: 'src/billing/dunning.ts',
        find: 'unsettled === true &&',
        replace: 'unsettled === true && now.year < 0 &&',
      },
    ],
  },
  {
    name: 'a decline that came after a proof of absence is not looked at',
    catcher: 'test/flow/unsettled.test.ts',
    edits: [
      {
        file: 'src/worker/look-before-sending.ts',
        find: "return outcome.kind === 'declined' ?",
        replace: "return outcome.kind === 'paid' ?",
      },
    ],
  },
  {
    name: 'an audit vouches for what was due when a person let charges go again',
    catcher: 'test/flow/restored.test.ts',
    edits: [
      {
        file: 'src/store/lease.ts',
        find: 'WHEN i.due_at <= control.acknowledged_at THEN',
        replace: 'WHEN i.due_at < control.acknowledged_at AND i.due_at IS NULL THEN',
      },
    ],
  },
  {
    name: 'what ended is never looked at again',
    catcher: 'test/flow/late-watch.test.ts',
    edits: [
      {
        file: 'src/billing/transition.ts',
        find: "'nextAt' in next.invoice || !mayStillLand)",
        replace: "'nextAt' in next.invoice || !mayStillLand || sends >= 0)",
      },
    ],
  },
  {
    name: 'what a webhook says of a payment is believed',
    catcher: 'campaign --classes gateway --charges 200 --backend postgres',
    edits: [
      {
        file: 'src/store/hints.ts',
        find: '    keepHints: (hints: readonly Hint[]) => keepHints(db, hints, fingerprint),',
        replace:
          "    keepHints: async (hints: readonly Hint[]) => {\n      for (const { impUid, status } of hints)\n        if (status === 'cancelled')\n          await db.$executeRaw`UPDATE observation SET status = 'cancelled', cancel_amount = amount, account_at = maedal_now() WHERE imp_uid = ${impUid}`;\n      return keepHints(db, hints, fingerprint);\n    },",
      },
    ],
  },
  {
    name: 'a card is charged the first time whatever the gateway is to charge by itself',
    catcher: 'test/flow/booked-card.test.ts',
    edits: [
      {
        file: 'src/worker/before-sending.ts',
        find: '  if (booked !== null) return notSent(booked);\n',
        replace: '',
      },
    ],
  },
];
