import { ATTEMPT_CHART, type AttemptState } from '../../../../src/billing/attempt.ts';
import type { Books, Violation } from '../books.ts';
import type { Asked } from '../postgres.ts';

/** Replays the history of every attempt against the chart: no step is missing, and none is off the chart (I11). */
export async function judgeHistory(postgres: Asked, books: Books): Promise<Violation[]> {
  const rows = await postgres.query<Row>(HISTORY);
  const paid = new Set(
    [...books.records.values()].flatMap((each) => (each.paidAtMs === null ? [] : [each.merchantUid])),
  );
  const violations: Violation[] = [];
  for (const { key, merchant_uid: uid, state, steps } of rows) {
    let now: string | null = null;
    const complain = (what: string) => violations.push({ invariant: 'I11', key, what: `${uid}: ${what}` });
    for (const { from, to } of steps) {
      if (from !== now) complain(`went from ${from} to ${to}, but was ${now}`);
      else if (from !== to && !isOnChart(from, to)) complain(`went from ${from} to ${to}`);
      if (from !== null && from !== to && DEAD.has(from) && !paid.has(uid)) complain(`left ${from} without a payment`);
      now = to;
    }
    if (now !== state) complain(`is ${state}, and by its history ${now}`);
  }
  return violations;
}

function isOnChart(from: string | null, to: string): boolean {
  if (from === null) return to === 'prepared';
  return isState(from) && ATTEMPT_CHART[from].some((state) => state === to);
}

function isState(text: string): text is AttemptState {
  return Object.hasOwn(ATTEMPT_CHART, text);
}

type Row = { key: string; merchant_uid: string; state: string; steps: { from: string | null; to: string }[] };

const HISTORY = `
  SELECT s.external_id || ' ' || i.period_key AS key, a.merchant_uid, a.state,
         (SELECT jsonb_agg(jsonb_build_object('from', h.from_state, 'to', h.to_state) ORDER BY h.id) FROM history h
           WHERE h.entity_id = a.id) AS steps
    FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id`;
const DEAD: ReadonlySet<string> = new Set(['declined', 'rejected', 'canceled']);
