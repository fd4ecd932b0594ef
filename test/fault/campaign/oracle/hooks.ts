import type { Books, Violation } from '../books.ts';
import { ASKED_AT_MOST, BEFORE_HOOKS, chargedOf } from '../hooks.ts';
import type { Asking, Telling } from '../merchant.ts';
import type { Asked } from '../postgres.ts';

/** What reached the merchant, by his own files. */
export type Heard = { readonly asked: readonly Asking[]; readonly told: readonly Telling[] };

/**
 * Judges after quiesce what the merchant's code was asked and told: what was charged is what it said (I8); nothing was sent
 * that it was not asked about, and nobody who took an attempt up after an answer was kept asked again (I13); every event
 * arrived, always with the same bytes, numbered within its subscription without a gap (I10).
 */
export async function judgeHooks(postgres: Asked, books: Books, heard: Heard): Promise<Violation[]> {
  return [
    ...judgeAmounts(books),
    ...judgeAskings(await postgres.query<Attempt>(ATTEMPTS), heard.asked),
    ...judgeTellings(await postgres.query<Event>(EVENTS), heard.told),
  ];
}

function judgeAmounts({ inOrder, captures }: Books): Violation[] {
  const violations: Violation[] = [];
  const judge = (key: string, minor: number | null, what: string) => {
    const charged = chargedOf(Number(/^sub-(\d+) /.exec(key)?.[1]));
    if (minor !== charged)
      violations.push({ invariant: 'I8', key, what: `${what} ${minor}, and its hooks say ${charged}` });
  };
  for (const { key, minor, serial } of inOrder) judge(key, minor, `request ${serial} asks for`);
  for (const [key, each] of captures) {
    for (const { payment } of each) judge(key, payment.minor, `${payment.impUid} captured`);
  }
  return violations;
}

function judgeAskings(attempts: readonly Attempt[], asked: readonly Asking[]): Violation[] {
  const times = new Map<string, number>();
  for (const { hook, key } of asked) times.set(`${hook} ${key}`, (times.get(`${hook} ${key}`) ?? 0) + 1);
  return attempts.flatMap(({ key, merchant_uid: uid, sends, answers }) =>
    BEFORE_HOOKS.flatMap((hook): Violation[] => {
      const answer = answers[hook];
      const asks = times.get(`${hook} ${uid}:before`) ?? 0;
      const complain = (what: string): Violation[] => [{ invariant: 'I13', key, what: `${uid}: hook ${hook} ${what}` }];
      if (answer === undefined || answer.kind === 'defer') return sends > 0 ? complain('did not let it go') : [];
      if (asks === 0) return complain('was never asked');
      // Whoever takes an attempt up asks so often at most, and nobody does after the one whose answer was kept.
      const most = answer.fence * ASKED_AT_MOST[hook];
      return asks > most ? complain(`was asked ${asks} times, ${answer.fence} had it until then`) : [];
    }),
  );
}

function judgeTellings(events: readonly Event[], told: readonly Telling[]): Violation[] {
  const arrived = new Map<string, Telling[]>();
  for (const one of told) arrived.set(`${one.at} ${one.id}`, [...(arrived.get(`${one.at} ${one.id}`) ?? []), one]);
  return events.flatMap((event) =>
    PLACES.flatMap(([at, kinds]): Violation[] => {
      if (kinds !== null && !kinds.includes(event.kind)) return [];
      const complain = (what: string): Violation[] => [
        { invariant: 'I10', key: event.key, what: `${event.kind} ${event.id} ${what} at ${at}` },
      ];
      const [first, ...again] = arrived.get(`${at} ${event.id}`) ?? [];
      if (first === undefined) return complain('never arrived');
      if (first.type !== event.kind || first.sequence !== event.sequence || event.sequence !== event.place)
        return complain(`arrived as ${first.type}, number ${first.sequence}; it is the ${event.place}.`);
      return again.some(({ mark }) => mark !== first.mark) ? complain('arrived with other bytes the second time') : [];
    }),
  );
}

type Attempt = {
  key: string;
  merchant_uid: string;
  sends: number;
  /** What is kept of each hook, and how often the attempt had been taken up when it was. */
  answers: Readonly<Record<string, { kind: string; fence: number }>>;
};
type Event = { key: string | null; id: string; kind: string; sequence: number | null; place: number | null };

const OF_CHARGES = ['charge.succeeded', 'charge.failed', 'charge.captured_late'];
/** Where events go, and which; null for all. */
const PLACES: readonly (readonly [at: string, kinds: readonly string[] | null])[] = [
  ['/events', null],
  ['/after', OF_CHARGES],
  ['/function', OF_CHARGES],
];

/** Has the database write down how often an attempt had been taken up when an answer of it was kept. */
export const ANSWERS_COUNTED = `
  CREATE TABLE IF NOT EXISTS campaign_answer (attempt_id uuid, hook text, fence integer, PRIMARY KEY (attempt_id, hook));
  CREATE OR REPLACE FUNCTION campaign_answer() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO campaign_answer SELECT id, NEW.hook, fence FROM attempt WHERE id = NEW.attempt_id
    ON CONFLICT (attempt_id, hook) DO UPDATE SET fence = excluded.fence;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE TRIGGER campaign_answer AFTER INSERT OR UPDATE ON hook_answer FOR EACH ROW EXECUTE FUNCTION campaign_answer()`;

const ATTEMPTS = `
  SELECT s.external_id || ' ' || i.period_key AS key, a.merchant_uid, a.send_count AS sends,
         coalesce((SELECT jsonb_object_agg(h.hook, jsonb_build_object('kind', h.kind, 'fence', c.fence)) FROM hook_answer h
                     JOIN campaign_answer c ON c.attempt_id = h.attempt_id AND c.hook = h.hook WHERE h.attempt_id = a.id), '{}') AS answers
    FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id`;
const EVENTS = `
  SELECT s.external_id || coalesce(' ' || i.period_key, '') AS key, o.event_id::text AS id, o.kind, o.sequence::float8 AS sequence,
         CASE WHEN s.id IS NOT NULL THEN (row_number() OVER (PARTITION BY s.id ORDER BY o.sequence))::float8 END AS place
    FROM outbox o LEFT JOIN subscription s ON s.id = o.subscription_id LEFT JOIN invoice i ON i.id = o.invoice_id`;
