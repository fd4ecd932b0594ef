import type { PaymentRecord } from '../billing/charge.ts';
import { type MerchantUid, MOST_NUMBERS } from '../billing/ids.ts';
import { judgeRecords } from '../billing/outcome.ts';
import { mostAttempts } from '../billing/policy.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { asked } from './asked.ts';
import { CLEAR, type Clearance, notSent } from './before-sending.ts';
import { lookForCanary } from './canary.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Looks before it leaps: asks for every `merchant_uid` of the invoice. What is paid settles the invoice, whichever
 * attempt it was; without a clear answer nothing is sent. "Not found" is none for an id that was seen before. For one of
 * which a send was never answered it is one only beside a payment that is found: the quarantine is over, but the capture
 * may have landed in it (protocol §2.6). So it is for any id where no audit compared the books with the gateway's, for
 * this database may have forgotten the send. Only a first attempt that never left and was never seen, in a database
 * that an audit vouches for, goes without. Once it `isLate`, no more look-ups are begun and nothing is sent.
 */
export async function lookBeforeSending(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  isLate: () => boolean,
): Promise<Clearance> {
  if (isLate()) return notSent(TOO_SLOW);
  const isFirst = attempt.number === 1 && attempt.sendCount === 0 && attempt.seenBefore.length === 0;
  if (isFirst && attempt.audit === 'passed') return CLEAR;
  const seen: string[] = [];
  let isUnanswered = false;
  for (const known of attempt.uids) {
    if (isLate()) return notSent(TOO_SLOW);
    const found = await lookAt(deps, attempt, known);
    if (found.kind === 'absent') isUnanswered ||= known.isUnanswered;
    else if (found.kind !== 'clear') return found;
    else if (known.merchantUid === attempt.merchantUid) seen.push(...found.seen);
  }
  const forgotten = attempt.audit === 'passed' ? CLEAR : await lookForForgotten(deps, attempt, isLate);
  if (forgotten.kind !== 'clear') return forgotten;
  const isDoubtful = isUnanswered || attempt.audit !== 'passed';
  const blind = isDoubtful ? await blindness(deps, attempt, { isUnanswered, isLate }) : null;
  return blind === null ? { kind: 'clear', seen } : notSent(blind);
}

async function lookAt(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  { merchantUid, wasSeen, isReturned }: LeasedAttempt['uids'][number],
): Promise<Clearance | { readonly kind: 'absent' }> {
  const answer = await deps.gateway.lookUp(merchantUid);
  if (answer.kind === 'unclear') return notSent(`cannot look before sending: ${answer.reason}`);
  if (answer.kind === 'absent') {
    return wasSeen ? unsettled(`the look-up does not find ${merchantUid}, which the gateway has shown before`) : answer;
  }
  await deps.store.observe(answer.records, 'look_up');
  const isOver = isReturned && answer.records.every(({ status }) => status === 'failed' || status === 'cancelled');
  const found = isOver ? null : alreadyCharged(deps, attempt, merchantUid, answer.records);
  return found ?? { kind: 'clear', seen: answer.records.map((record) => record.impUid) };
}

/**
 * A database restored from a backup may have forgotten attempts that came after the present one. Until an audit has
 * compared the books, the ids that they would have had are looked up as well: as many as the policy comes to, and, since
 * people try again by hand beyond every ladder, some more after those and after each that is found.
 */
async function lookForForgotten(deps: WorkerDeps, attempt: LeasedAttempt, isLate: () => boolean): Promise<Clearance> {
  const known = Math.max(attempt.number, mostAttempts(attempt.policy, attempt.cards.length));
  let last = Math.min(known + FURTHER, MOST_NUMBERS);
  for (let number = attempt.number + 1; number <= last; number += 1) {
    if (isLate()) return notSent(TOO_SLOW);
    const answer = await deps.gateway.lookUp(
      deps.merchantUid(attempt.subscription.externalId, attempt.periodKey, number),
    );
    if (answer.kind === 'unclear') return notSent(`cannot look before sending: ${answer.reason}`);
    if (answer.kind === 'absent') continue;
    last = Math.min(Math.max(last, number + FURTHER), MOST_NUMBERS);
    if (answer.records.every(({ status }) => status === 'failed')) continue;
    const reason = `the gateway knows attempt ${number} of this period, which this database does not: was it restored?`;
    return { kind: 'outcome', outcome: { kind: 'review', reason } };
  }
  return CLEAR;
}

type Doubt = { readonly isUnanswered: boolean; readonly isLate: () => boolean };

/** Why "not found" says nothing just now; null where a payment that is known to be paid is found. */
async function blindness(
  deps: WorkerDeps,
  { merchantUid, audit }: LeasedAttempt,
  { isUnanswered, isLate }: Doubt,
): Promise<string | null> {
  const canary = await lookForCanary(deps, merchantUid, isLate);
  if (canary.kind === 'seen') return null;
  if (isUnanswered) return `an earlier send was never answered, and ${canary.why}`;
  if (canary.kind === 'unseen') return `this database may not be what it was, and ${canary.why}`;
  // A shop that never took a payment has none to look for; one that was audited before waits for its next audit.
  return audit === 'outdated' ? 'no audit has compared this database with the gateway yet' : null;
}

function alreadyCharged(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  merchantUid: MerchantUid,
  records: readonly PaymentRecord[],
): Conclusion | null {
  const isOwn = merchantUid === attempt.merchantUid;
  if (records.every((record) => record.status === 'failed')) return isOwn ? declinedLate(deps, attempt, records) : null;
  if (!isOwn) return earlier(records);
  const outcome = judgeRecords(records, asked(deps, attempt, 0));
  if (outcome.kind === 'paid' || outcome.kind === 'review') return { kind: 'outcome', outcome };
  return unsettled(`not settled at the gateway: ${statuses(records)}`);
}

/** What was proved absent and turns out declined before it goes again is the decline that it is. */
function declinedLate(deps: WorkerDeps, attempt: LeasedAttempt, records: readonly PaymentRecord[]): Conclusion | null {
  const outcome = judgeRecords(records, asked(deps, attempt, attempt.sendCount - attempt.notSentCount));
  return outcome.kind === 'declined' ? { kind: 'outcome', outcome } : null;
}

/** What an earlier attempt asked for may differ from what this one would. It was observed: the sweep accounts for it. */
function earlier(records: readonly PaymentRecord[]): Conclusion {
  const isOver = records.every(({ status }) => status === 'failed' || status === 'cancelled');
  if (records.some(({ status }) => status === 'paid'))
    return notSent(`an earlier attempt is paid: ${statuses(records)}`);
  if (!isOver) return unsettled(`an earlier attempt is not settled: ${statuses(records)}`);
  // Paid and given back, and not by us: the period is unpaid, and nobody but a person knows whether it is still owed.
  const reason = `an earlier attempt was paid and given back: ${statuses(records)}`;
  return { kind: 'outcome', outcome: { kind: 'review', reason } };
}

function statuses(records: readonly PaymentRecord[]): string {
  return records.map(({ impUid, status }) => `${impUid} ${status}`).join(', ');
}

/** Nothing is sent now, and after a day it is for a person: the gateway neither settles one of its ids nor frees it. */
function unsettled(reason: string): Extract<Conclusion, { kind: 'outcome' }> {
  return { kind: 'outcome', outcome: { kind: 'not-sent', reason, unsettled: true } };
}

const TOO_SLOW = 'the gateway takes too long to answer just now';
/** Numbers beyond the last that is known: an attempt that was withdrawn and never sent leaves one out. */
const FURTHER = 3;
