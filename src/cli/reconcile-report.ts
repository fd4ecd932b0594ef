import type { DateTime } from 'luxon';
import type { Audited, Finding } from '../scheduler/audit-tally.ts';
import type { Sending } from '../store/control.ts';

/** What `maedal reconcile` found, and how the installation stands after it. */
export type Reconciled = {
  readonly audited: Audited;
  /** `look`: the database is another installation's, and nothing was written. */
  readonly effect: 'record' | 'look';
  readonly sending: Sending;
};

/** A report for people. Ends without a newline. */
export function renderReconciled({ audited, effect, sending }: Reconciled): string {
  const { window, listed, ours, counts, findings, unclear, bookedUnclear } = audited;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const lines = [
    `From ${iso(window.from)} until ${iso(window.until)} PortOne lists ${listed} payments, ${ours} of them ours.`,
    ...(unclear === null ? [] : [`The list could not be read to its end: ${unclear}. What follows may not be all.`]),
    ...(bookedUnclear === null ? [] : [`PortOne's own schedules could not be listed: ${bookedUnclear}.`]),
    ...(total === 0 && unclear === null ? ['Both sides agree.'] : []),
    ...KINDS.flatMap((kind) => section(kind, counts[kind], findings)),
    ...(effect === 'look'
      ? ['', "Nothing was written: this database is another installation's (see `maedal doctor`)."]
      : []),
    ...(sending.enabled ? [] : ['', `Sending is off: ${sending.reason ?? 'no reason was given'}`]),
  ];
  return lines.join('\n');
}

function section(kind: Finding['kind'], count: number, findings: readonly Finding[]): string[] {
  if (count === 0) return [];
  const { title, means, doThis } = WORDS[kind];
  const shown = findings.filter((finding) => finding.kind === kind).slice(0, MAX_SHOWN);
  return [
    '',
    `${title}: ${count}`,
    `  ${means}`,
    `  → ${doThis}`,
    ...shown.map(
      ({ impUid, merchantUid, reason }) =>
        `    ${impUid === null ? merchantUid : `${impUid} (${merchantUid})`} ${reason}`,
    ),
    ...(count > shown.length ? [`    and ${count - shown.length} more; --json shows up to 200`] : []),
  ];
}

function iso(at: DateTime): string {
  return at.toUTC().toISO({ suppressMilliseconds: true }) ?? '';
}

/** What weighs most comes first. */
const KINDS = ['unknown', 'missing', 'different', 'foreign', 'booked', 'uncounted'] as const;

type Words = { readonly title: string; readonly means: string; readonly doThis: string };

const WORDS: Readonly<Record<Finding['kind'], Words>> = {
  unknown: {
    title: 'Not known here',
    means:
      'Money was taken under our ids, and this database has no attempt for it: it is an old backup, or not the only one.',
    doThis:
      'Make sure that this is the right database and the only one. What is drawn up again is settled by these payments. Then `maedal send on --reason …`, which lists them.',
  },
  missing: {
    title: 'Paid here, gone there',
    means: 'An invoice counts as paid by a payment that PortOne does not know any more. It is in review.',
    doThis: 'Look the payment up in the PortOne console, and ask PortOne.',
  },
  different: {
    title: 'Not as asked',
    means:
      'A payment that settles an invoice has another amount, currency, card or kind than was asked for. Its invoice goes to review.',
    doThis: 'Compare the payment in the PortOne console with `maedal explain`.',
  },
  foreign: {
    title: 'Taken by somebody else',
    means: "A card of a subscriber was charged, and not by maedal: PortOne's Recovery, a schedule, or another program.",
    doThis:
      'Switch Recovery off, cancel schedules, stop the other program; refund in the PortOne console what was paid twice.',
  },
  booked: {
    title: 'Booked at PortOne',
    means: "PortOne has been told to charge a subscriber's card by itself. maedal does not charge that card meanwhile.",
    doThis: 'Cancel it (`POST /subscribe/payments/unschedule`) and run this again.',
  },
  uncounted: {
    title: 'Not counted yet',
    means: 'PortOne took or gave back money for an attempt that did not count it.',
    doThis: 'Nothing: a running scheduler settles it, puts it up for refund, or asks for a review.',
  },
};

const MAX_SHOWN = 50;
