import type { Mutant } from './mutant.ts';

const FILE = 'src/store/record.ts';
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
    edits: [
      {
        file: FILE,
        find: 'AS event (kind text, payload jsonb)\n',
        replace: 'AS event (kind text, payload jsonb) WHERE false\n',
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
      FROM jsonb_to_recordset(\${JSON.stringify(next.events)}::jsonb) AS event (kind text, payload jsonb)\`;
  return true;
`,
      },
    ],
  },
  {
    name: 'an attempt is settled by one statement, and its invoice by another',
    catcher: 'test/store/record.test.ts',
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
    ],
  },
  {
    name: 'a settle is an interactive transaction that gives up while it waits',
    catcher: 'test/store/record.test.ts',
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
      MOVED,
    ],
  },
];
