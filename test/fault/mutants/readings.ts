import type { Mutant } from './mutant.ts';

/** How answers and look-ups are read: what is unknown is taken for known, or not looked at. */
export const READINGS: readonly Mutant[] = [
  {
    name: 'a timeout is taken for a decline',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return answer;\n    case 'unknown':\n      return { kind: 'unknown', reason: answer.reason };",
        replace:
          "      return answer;\n    case 'unknown':\n      return { kind: 'rejected', decline: UNSAID, unanswered: 0 };",
      },
    ],
  },
  {
    name: '"not found" makes room for another id',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return { kind: 'not-found' };",
        replace: "      return { kind: 'rejected', decline: UNSAID, unanswered: 0 };",
      },
    ],
  },
  {
    name: '"not found" sends the same id again at once, without a horizon',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/absence.ts',
        find: 'return notFound >= ANSWERS && isHorizonOver(sentAt, now, horizonSeconds);',
        replace: 'return notFound > 0 || isHorizonOver(sentAt, now, horizonSeconds) || ANSWERS > 0;',
      },
    ],
  },
  {
    name: 'nobody looks before a send',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/before-sending.ts',
        find: '  const seen: string[] = [];\n  for (const { merchantUid, wasSeen }',
        replace:
          '  const seen: string[] = [];\n  if (seen.length === 0) return CLEAR;\n  for (const { merchantUid, wasSeen }',
      },
    ],
  },
  {
    name: 'only the newest record of an id counts',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "  const paid = records.filter((record) => record.status === 'paid').sort(byCapture);",
        replace:
          "  const last = records.reduce<PaymentRecord | null>(newer, null);\n  const paid = (last === null ? [] : [last]).filter((record) => record.status === 'paid').sort(byCapture);",
      },
    ],
  },
  {
    name: 'the canary is not asked for',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/reconcile.ts',
        find: '  return isSeen ?',
        replace: '  return isSeen || seen.kind.length > 0 ?',
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
];
