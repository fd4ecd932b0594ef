import type { Books, Violation } from '../books.ts';
import type { Order, OrderKind, Orders } from '../orders.ts';
import type { Asked } from '../postgres.ts';

/** What a run ended with, by how an invoice stands; `violations` is what must not be (I2, I3, I4, I10). */
export type Ends = { readonly counts: Readonly<Record<string, number>>; readonly violations: readonly Violation[] };

/**
 * Judges every period after quiesce: paid with one capture, or declined out or ended by order with none, or with a
 * person for a reason.
 */
export async function judgeEnds(postgres: Asked, books: Books, orders: Orders, charges: number): Promise<Ends> {
  const rows = await postgres.query<Row>(INVOICES);
  const violations = [...(await openEnds(postgres)), ...duplicatesOf(rows, charges)];
  const counts: Record<string, number> = {};
  const known = new Set(rows.map(({ key }) => key));
  for (const row of rows) {
    counts[row.state] = (counts[row.state] ?? 0) + 1;
    for (const [invariant, what] of judge(row, books, orders.of(row.key)))
      violations.push({ invariant, key: row.key, what });
  }
  for (const key of books.captures.keys()) {
    if (!known.has(key)) violations.push({ invariant: 'I3', key, what: 'captured, but there is no invoice for it' });
  }
  return { counts, violations };
}

type Complaint = readonly [invariant: string, what: string];

function judge(row: Row, books: Books, orders: readonly Order[]): Complaint[] {
  const net = books.net(row.key);
  const complaints: Complaint[] = [];
  if (net > 1) {
    const unnoticed = row.refunds === 0 ? 'and nobody noticed' : `and ${row.refunds} refunds are not performed`;
    complaints.push(['I1', `captured ${net} times in the end, ${unnoticed}`]);
  }
  if (isGivenBackByItself(row, books, orders))
    complaints.push(['I3', 'its only capture was given back, and nobody ordered that']);
  switch (row.state) {
    case 'paid':
      return [...complaints, ...judgePaid(row, books)];
    case 'refunded':
      if (net > 0) complaints.push(['I3', 'given back by its row, but a capture stands']);
      if (row.refunds === 0) complaints.push(['I3', 'given back, without a refund']);
      if (!orders.some(({ kind }) => kind === 'refund')) complaints.push(['I3', 'given back, and nobody ordered it']);
      return complaints;
    case 'uncollectible':
      if (net > 0) complaints.push(['I3', 'given up as unpaid, but its capture stands']);
      if (!isAtItsEnd(row, isTriedByHand(orders)) || row.attempts.some(({ state }) => !DEAD.has(state))) {
        complaints.push(['I2', `given up after ${row.failures} declines`]);
      }
      if (!isToldOfItsEnd(row, isTriedByHand(orders))) complaints.push(['I10', `told ${told(row)}`]);
      return complaints;
    case 'void':
      if (net > 0) complaints.push(['I3', 'void, but a capture stands']);
      if (!orders.some(({ kind }) => kind === 'cancel' || kind === 'void'))
        complaints.push(['I2', `void, and nobody ordered it: ${row.reason}`]);
      return complaints;
    case 'review':
      if (!isExplained(row, books, orders))
        complaints.push(['I2', `with a person, and the gateway gave no cause: ${row.reason}`]);
      return complaints;
    default:
      return [...complaints, ['I2', `ended as ${row.state}: ${row.reason}`]];
  }
}

/** What maedal gives back unasked is a second capture, or one of a period that somebody had ended. */
function isGivenBackByItself({ key, unasked }: Row, books: Books, orders: readonly Order[]): boolean {
  if (unasked === 0 || (books.captures.get(key)?.length ?? 0) > 1) return false;
  return !orders.some(({ kind }) => ENDING.has(kind));
}

/** Whoever has an invoice tried again after its end, by order or by another card, adds a try, and another end to be told. */
function isTriedByHand(orders: readonly Order[]): boolean {
  return orders.some(({ kind }) => kind === 'retry' || kind === 'change card');
}

function isToldOfItsEnd({ events }: Row, byHand: boolean): boolean {
  const times = events['invoice.uncollectible'] ?? 0;
  return byHand ? times >= 1 : times === 1;
}

/** Every rung was climbed, or the only card was declined for good. */
function isAtItsEnd({ reason, failures, attempts }: Row, byHand: boolean): boolean {
  if (reason !== 'no_card_left') return byHand ? failures >= ATTEMPTS : failures === ATTEMPTS;
  return attempts.some(({ decline_class: declined }) => declined !== null && FOR_GOOD.has(declined));
}

function judgePaid(row: Row, books: Books): Complaint[] {
  const complaints: Complaint[] = [];
  const captures = (books.captures.get(row.key) ?? []).filter((each) => each.cancelledMinor < each.payment.minor);
  const paid = row.attempts.filter(({ state }) => state === 'paid');
  const [capture] = captures;
  if (captures.length !== 1 || capture === undefined) complaints.push(['I3', `paid, with ${captures.length} captures`]);
  else if (paid.length !== 1 || paid[0]?.imp_uid !== capture.payment.impUid) {
    complaints.push([
      'I3',
      `paid by ${paid.map((each) => each.imp_uid).join()}, captured as ${capture.payment.impUid}`,
    ]);
  }
  if (!isToldOfBeingPaid(row)) complaints.push(['I10', `told ${told(row)}; it became paid ${row.settled} times`]);
  return complaints;
}

/** Once; and once more for each time that its payment was not to be found at the gateway, which was told, and came back. */
function isToldOfBeingPaid({ events, settled }: Row): boolean {
  const charges = (events['charge.succeeded'] ?? 0) + (events['charge.captured_late'] ?? 0);
  const stops = events['invoice.needs_review'] ?? 0;
  return charges === settled && events['invoice.paid'] === settled && settled >= 1 && settled <= 1 + stops;
}

/** Money taken back by the payment company, another amount than was asked, or a card at which nothing ever arrives. */
function isExplained(row: Row, books: Books, orders: readonly Order[]): boolean {
  const captures = books.captures.get(row.key) ?? [];
  if (captures.some(({ payment }) => payment.reversesAtMs !== null)) return true;
  const isGivenBack = captures.some(({ cancelledMinor }) => cancelledMinor > 0);
  if (isGivenBack && (captures.length > 1 || orders.some(({ kind }) => kind === 'refund' || ENDING.has(kind))))
    return true;
  if (books.posts.get(row.key)?.some(({ fault }) => fault === 'wrong_amount') === true) return true;
  return captures.length === 0 && /^sent \d+ times/.test(row.reason ?? '');
}

async function openEnds(postgres: Asked): Promise<Violation[]> {
  const rows = await postgres.query<{ key: string; what: string }>(OPEN);
  return rows.map(({ key, what }) => ({ invariant: 'I4', key, what }));
}

function duplicatesOf(rows: readonly Row[], charges: number): Violation[] {
  const subscriptions = new Set(rows.map(({ key }) => key.split(' ')[0]));
  if (subscriptions.size === charges && rows.length === charges) return [];
  const what = `${charges} subscriptions became due, ${subscriptions.size} have an invoice, ${rows.length} in all`;
  return [{ invariant: 'I2', key: null, what }];
}

function told({ events }: Row): string {
  return Object.entries(events)
    .map(([kind, count]) => `${kind} ${count} times`)
    .join(', ');
}

type Row = {
  key: string;
  state: string;
  reason: string | null;
  failures: number;
  /** How often it became paid. */
  settled: number;
  refunds: number;
  /** Refunds that no person asked for. */
  unasked: number;
  attempts: { state: string; imp_uid: string | null; decline_class: string | null }[];
  events: Record<string, number>;
};

const INVOICES = `
  WITH told AS MATERIALIZED (
    SELECT invoice_id, jsonb_object_agg(kind, count) AS events FROM
      (SELECT invoice_id, kind, count(*) FROM outbox GROUP BY invoice_id, kind) counted GROUP BY invoice_id
  )
  SELECT s.external_id || ' ' || i.period_key AS key, i.state, i.reason, i.failures,
         (SELECT count(*)::integer FROM history h WHERE h.entity_id = i.id AND h.to_state = 'paid' AND h.from_state <> 'paid') AS settled,
         (SELECT count(*)::integer FROM refund r WHERE r.invoice_id = i.id) AS refunds,
         (SELECT count(*)::integer FROM refund r WHERE r.invoice_id = i.id AND r.requested_by = 'maedal' AND r.state = 'done') AS unasked,
         (SELECT jsonb_agg(jsonb_build_object('state', a.state, 'imp_uid', a.imp_uid, 'decline_class', a.decline_class)) FROM attempt a WHERE a.invoice_id = i.id) AS attempts,
         coalesce(told.events, '{}') AS events
    FROM invoice i JOIN subscription s ON s.id = i.subscription_id LEFT JOIN told ON told.invoice_id = i.id`;

/** A payment `o` of the invoice `i` that is to be accounted for; one in review is with a person once he was told of it. */
export const UNACCOUNTED = `
  o.account_at IS NOT NULL AND (i.state <> 'review' OR NOT EXISTS (
    SELECT FROM outbox WHERE invoice_id = i.id AND kind = 'invoice.needs_review' AND payload ->> 'imp_uid' = o.imp_uid))`.trim();

/** Whatever somebody would still have to look at; a refund that only waits for a person's word is not among it. */
export const OPEN = `
  SELECT s.external_id || ' ' || i.period_key AS key, what FROM (
    SELECT id AS invoice_id, 'the invoice is ' || state AS what FROM invoice WHERE state IN ('open', 'retrying')
    UNION ALL SELECT invoice_id, merchant_uid || ' is ' || state FROM attempt
     WHERE state IN ('sent', 'unknown') OR (state = 'prepared' AND EXISTS (SELECT FROM invoice WHERE id = invoice_id AND state <> 'review'))
    UNION ALL SELECT a.invoice_id, o.imp_uid || ' is not accounted for' FROM observation o JOIN attempt a USING (merchant_uid)
      JOIN invoice i ON i.id = a.invoice_id WHERE ${UNACCOUNTED}
    UNION ALL SELECT invoice_id, 'a refund of ' || imp_uid || ' is ' || state FROM refund
     WHERE state IN ('sent', 'unknown') OR (state = 'prepared' AND next_at IS NOT NULL)
  ) open JOIN invoice i ON i.id = open.invoice_id JOIN subscription s ON s.id = i.subscription_id`;

const ATTEMPTS = 4;
const FOR_GOOD: ReadonlySet<string> = new Set(['card', 'key', 'fraud']);
const ENDING: ReadonlySet<OrderKind> = new Set(['cancel', 'cancel at period end', 'void']);
const DEAD: ReadonlySet<string> = new Set(['declined', 'rejected', 'canceled']);
