import { InputError } from '../billing/errors.ts';
import { formatMajor } from '../billing/money.ts';
import { findInvoice, readCaseFile } from '../store/case-file.ts';
import type { Db } from '../store/db.ts';
import type { Identity } from '../store/fence.ts';
import { type Explanation, explanationOf, localTime } from './explanation.ts';
import { policyInWords } from './policy-in-words.ts';
import { printable } from './printable.ts';
import { inWords } from './reasons.ts';

type Told = Explanation['story'][number];

/**
 * Tells what happened to an invoice, why, and what comes next. `named` is its id, or the `merchant_uid` or `imp_uid` of
 * one of its charges. Throws InputError when there is none.
 */
export async function explainInvoice(db: Db, named: string, identity: Identity): Promise<Explanation> {
  const id = await findInvoice(db, named.trim());
  const file = id === null ? null : await readCaseFile(db, id);
  if (file === null) {
    const remedy = 'copy an id from /v1/invoices or the console, or merchant_uid or imp_uid from PortOne';
    throw new InputError(`there is no invoice, charge or payment '${named}'`, remedy);
  }
  return explanationOf(file, identity);
}

/** An explanation in plain English, for a terminal. Ends without a newline. */
export function renderExplanation(explanation: Explanation): string {
  const { invoice, due, timezone, policy, next } = explanation;
  const lines = [
    `Invoice ${invoice.id}`,
    `  ${invoice.name}: ${amount(invoice)} of subscription ${invoice.subscription_id} for the period ${invoice.period}`,
    `  (${invoice.period_start} to ${invoice.period_end}).`,
    `  It was due at ${due.local} and is ${invoice.status}${because(invoice.reason)}.`,
    `  Declines so far: ${invoice.failures}. The subscription is ${explanation.subscription_status}.`,
    `  All times are local to ${timezone}.`,
    '',
    'What happened',
    ...explanation.story.flatMap(storyLine),
    '',
    'Attempts',
    ...explanation.attempts.flatMap(attemptLines),
    ...(explanation.refunds.length === 0 ? [] : ['', 'Refunds', ...explanation.refunds.flatMap(refundLines)]),
    '',
    `Policy in force: ${policy.id}`,
    ...policyInWords(policy.rules).map((line) => `  ${line}`),
    '',
    'What comes next',
    `  ${next.says}`,
  ];
  return lines.map((line) => printable(line.replace(INSTANT, (at) => localTime(at, timezone)))).join('\n');
}

/** An instant as the rows and JSON have it. */
const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** What was said several times running is told once, with how often and until when. */
function storyLine({ local, says, why, who }: Told, index: number, story: readonly Told[]): string[] {
  const isSame = (told: Told | undefined) => told?.says === says && told.why === why;
  if (isSame(story[index - 1])) return [];
  const after = story.slice(index).findIndex((told) => !isSame(told));
  const times = after < 0 ? story.length - index : after;
  const last = story[index + times - 1];
  const again = times === 1 ? '' : `, ${times} times until ${last?.local}`;
  return [`  ${local}  ${says}${because(why)}${again} [${who}]`];
}

function attemptLines(attempt: Explanation['attempts'][number]): string[] {
  const card = attempt.card === null ? '' : ` on card ${attempt.card}`;
  const verdict = attempt.decline_class === null ? attempt.state : `${attempt.state} (${attempt.decline_class})`;
  return [
    `  Attempt ${attempt.number}${card}: ${verdict}${because(attempt.fail_reason)}`,
    `    Known to the gateway as ${attempt.merchant_uid}${attempt.imp_uid === null ? '' : `, payment ${attempt.imp_uid}`}.`,
    `    ${taken(attempt)}${sends(attempt)}`,
    ...blocked(attempt),
    ...attempt.hook_answers.map(
      (said) => `    The hook ${said.hook} said ${said.kind}${detailOf(said.answer)} at ${said.at}.`,
    ),
    ...attempt.observations.map(
      (seen) =>
        `    The gateway shows ${seen.imp_uid} as ${seen.status}${seenAmount(seen)}${because(seen.fail_reason)}; ` +
        `first seen at ${seen.first_seen_at}, by ${LEARNT[seen.learnt_by] ?? seen.learnt_by}.${becomes(seen)}`,
    ),
  ];
}

/** What an answer says beside its kind; where it is the merchant's own data, that is left out. */
function detailOf(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return '';
  const { kind: _, customData: __, ...says } = { kind: null, customData: null, ...answer };
  const parts = Object.entries(says).map(([key, value]) => `${key} ${String(value)}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** What the company's "not again today" means for everything else on that card. */
function blocked({ card_blocked_until: until }: Explanation['attempts'][number]): string[] {
  if (until === null) return [];
  return [
    `    The payment company says that its card may not be tried again that day: nothing goes on it before ${until}.`,
  ];
}

function refundLines(refund: Explanation['refunds'][number]): string[] {
  const times = refund.sends === 1 ? 'Asked of the gateway once' : `Asked of the gateway ${refund.sends} times, last`;
  return [
    `  ${amount(refund)} of ${refund.imp_uid}: ${refund.state}${because(refund.fail_reason)}`,
    `    Wanted by ${refund.requested_by}${because(refund.reason)}.`,
    `    ${refund.sends === 0 ? 'Not asked of the gateway so far.' : `${times}, at ${refund.sent_at}.`.replace('last, at', 'last at')}`,
    ...(refund.next === null ? [] : [`    ${refund.next.says}`]),
  ];
}

/** How often workers took it, where that says more than its sends: who died before a send left no other trace. */
function taken({ leases, leases_without_record: lost, sends }: Explanation['attempts'][number]): string {
  if (leases <= Math.max(1, sends)) return '';
  const silent = lost === 0 ? '' : `, the last ${lost === 1 ? 'one' : lost} without a report so far`;
  return `Taken up by workers ${leases} times${silent}. `;
}

function sends(attempt: Explanation['attempts'][number]): string {
  if (attempt.sends === 0) return 'Not sent so far.';
  // Its intent is written, and nothing tells whether the call was made.
  if (attempt.state === 'sent') return `About to be sent, or sent, at ${attempt.sent_at}; no answer so far.`;
  const proved =
    attempt.proved_not_sent === 0 ? '' : `, of which ${attempt.proved_not_sent} proved not to have gone out`;
  const times = attempt.sends === 1 ? 'Sent once' : `Sent ${attempt.sends} times, first at ${attempt.first_sent_at}`;
  const answer = attempt.answered_at === null ? 'no final answer yet' : `answered at ${attempt.answered_at}`;
  return `${times}, last at ${attempt.sent_at}${proved}; ${answer}.`.replace('once, last at', 'once, at');
}

function seenAmount({
  amount: minor,
  currency,
  cancel_amount: back,
}: Explanation['attempts'][number]['observations'][number]): string {
  if (minor === null || currency === null) return '';
  const part = back > 0 && back < minor ? `, of which ${amount({ amount: back, currency })} were given back` : '';
  return `, ${amount({ amount: minor, currency })}${part}`;
}

function amount({ amount: minor, currency }: { amount: number; currency: string }): string {
  return `${formatMajor({ minor, currency })} ${currency}`;
}

function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${inWords(reason)}`;
}

/** What became of a payment that the gateway took. */
function becomes({
  status,
  accounted_as: as,
  gone_at: goneAt,
}: Explanation['attempts'][number]['observations'][number]): string {
  if (status !== 'paid' && status !== 'cancelled') return '';
  if (goneAt !== null) return ` Since ${goneAt} it is not there any more: nothing of it counts as paid.`;
  return ` ${BECOMES[as ?? ''] ?? ''}`.trimEnd();
}

const BECOMES: Readonly<Record<string, string>> = {
  '': 'What becomes of it is not decided yet.',
  settles: 'It is what the invoice was paid by.',
  refund: 'It is put up for refund.',
  review: 'It waits for a person.',
  returned: 'It is given back.',
};

const LEARNT: Readonly<Record<string, string>> = {
  answer: 'the answer to the charge',
  look_up: 'a look-up',
  webhook: 'a webhook',
  audit: 'an audit',
  operator: 'an operator',
};
