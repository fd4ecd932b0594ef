import type { Mutant } from './mutant.ts';

const FILE = 'src/store/record.ts';
/** Where the model's transitions are carried out. */
const RECORDING = 'test/fault/model/store/recording.ts';
const BEGIN =
  "export async function record(db: Db, subject: Subject, next: Transition): Promise<boolean> {\n  const { attempt, invoice, subscription: becomes = 'same' } = next;\n";
const REST =
  "async function rest(db: Pick<Db, '$queryRaw'>, subject: Subject, next: Transition): Promise<boolean> {\n  const { attempt, invoice, subscription: becomes = 'same' } = next;\n";
/** The attempt's move as a statement of its own. */
const MOVE = `
  const { attempt } = next;
  const moved = await db.$executeRaw\`
    UPDATE attempt SET state = \${attempt.state}, imp_uid = coalesce(\${attempt.impUid ?? null}, imp_uid),
           answered_at = CASE WHEN \${attempt.state} IN ('paid', 'declined', 'rejected') THEN maedal_now() END
     WHERE merchant_uid = \${subject.merchantUid} AND state = ANY(\${[...next.from]}::text[])
       AND (fence = \${subject.fence} OR \${next.fence} = 'unfenced')\`;
  if (moved !== 1) return false;
`;
/** After which the statement for all the rest finds it moved. */
const MOVED = {
  file: FILE,
  find: 'attempt.state = ANY(${[...next.from]}::text[])',
  replace: 'attempt.state = ${attempt.state}',
};

/** What is settled is settled whole: attempt, invoice, subscription and messages stand or fall together. */
export const SETTLING: readonly Mutant[] = [
  {
    name: 'messages are written after what they tell of',
    catcher: 'test/store/record.test.ts',
    also: ['campaign --classes wire --charges 100 --backend postgres'],
    edits: [
      {
        file: FILE,
        find: "WHERE event.kind NOT LIKE 'subscription.%' OR EXISTS",
        replace: "WHERE event.kind LIKE 'subscription.%' AND EXISTS",
      },
      {
        file: FILE,
        find: '  return rows[0]?.recorded === 1;\n',
        replace: `
  if (rows[0]?.recorded !== 1) return false;
  await db.$executeRaw\`
    INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
    SELECT event.kind, \${subject.subscription.id}::uuid, \${subject.invoiceId}::uuid,
           \${JSON.stringify(snapshot(subject))}::jsonb || event.payload, maedal_now()
      FROM jsonb_to_recordset(\${JSON.stringify(next.events)}::jsonb) AS event (kind text, payload jsonb)
     WHERE event.kind NOT LIKE 'subscription.%'\`;
  return true;
`,
      },
    ],
  },
  {
    name: 'an attempt is settled by one statement, and its invoice by another',
    catcher: 'test/store/record.test.ts',
    also: ['model'],
    edits: [
      {
        file: FILE,
        find: BEGIN,
        replace: `
export async function record(db: Db, subject: Subject, next: Transition): Promise<boolean> {
  ${MOVE}
  return rest(db, subject, next);
}
${REST}`,
      },
      MOVED,
      {
        file: RECORDING,
        find: 'Subject, next: Transition): boolean {',
        replace: "Subject, next: Transition, part: 'attempt' | 'rest' = 'rest'): boolean {",
      },
      {
        file: RECORDING,
        find: "next.from.includes(row.state) &&\n      (row.fence === subject.fence || next.fence === 'unfenced'),",
        replace: `(part === 'rest'
        ? row.state === next.attempt.state
        : next.from.includes(row.state) && (row.fence === subject.fence || next.fence === 'unfenced')),`,
      },
      {
        file: RECORDING,
        find: '  tables.attempts.put(attempt.id, moved(tables, attempt, next.attempt));\n',
        replace: `  if (part === 'attempt') {
    tables.attempts.put(attempt.id, moved(tables, attempt, next.attempt));
    return true;
  }
`,
      },
      {
        file: 'test/fault/model/processes.ts',
        find: '    record: (...args: Parameters<typeof store.record>) => {\n',
        replace: `    record: async (...args: Parameters<typeof store.record>) => {
      const move = () => tables.statement(() => record(tables, ...args, 'attempt'));
      if (!(await stage.call(actor, 'move', 'store', move))) return false;
`,
      },
    ],
  },
  {
    name: 'a settle is an interactive transaction that gives up while it waits',
    catcher: 'test/store/record.test.ts',
    also: ['model'],
    edits: [
      {
        file: FILE,
        find: BEGIN,
        replace: `
export async function record(whole: Db, subject: Subject, next: Transition): Promise<boolean> {
  return whole.$transaction(async (db) => {
    ${MOVE}
    return rest(db, subject, next);
  }, { timeout: 5 });
}
${REST}`,
      },
      // The second statement outlives the transaction, and the first does not.
      { file: FILE, find: 'attempt.state = ANY(${[...next.from]}::text[])', replace: 'true' },
      { file: FILE, find: 'SET state = ${attempt.state}, lease_until', replace: 'SET lease_until' },
      {
        file: FILE,
        find: "answered_at = CASE WHEN ${attempt.state} IN ('paid', 'declined', 'rejected')\n                                THEN CASE WHEN attempt.state = ${attempt.state} THEN attempt.answered_at ELSE maedal_now() END END,",
        replace: '',
      },
      {
        file: 'test/fault/model/processes.ts',
        find: '    record: (...args: Parameters<typeof store.record>) => {\n',
        replace: `    record: async (...args: Parameters<typeof store.record>) => {
      const endsAtMs = await stage.call(actor, 'begin', 'store', () => tables.nowMs + 5);
`,
      },
      {
        file: 'test/fault/model/processes.ts',
        find: 'record(tables, ...args)',
        replace: "record(tables, ...args, tables.nowMs > endsAtMs ? 'half of it' : 'whole')",
      },
      {
        file: RECORDING,
        find: 'Subject, next: Transition): boolean {',
        replace: "Subject, next: Transition, stands: 'half of it' | 'whole' = 'whole'): boolean {",
      },
      {
        file: RECORDING,
        find: '  tables.attempts.put(attempt.id,',
        replace: "  if (stands === 'whole') tables.attempts.put(attempt.id,",
      },
    ],
  },
];
