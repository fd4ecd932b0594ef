import type { ChargeAnswer, Decline, LookUpAnswer, PaymentRecord } from './charge.ts';
import { assertNever } from './errors.ts';
import type { Money } from './money.ts';

/** What one attempt came to. `unknown`: money may have moved, so look it up and never charge again blindly. */
export type ChargeOutcome =
  | { readonly kind: 'paid'; readonly record: PaymentRecord }
  | { readonly kind: 'declined'; readonly decline: Decline; readonly impUid: string }
  /** Refused without a payment record; a look-up agreed that there is none. */
  | { readonly kind: 'rejected'; readonly decline: Decline }
  /** Provably not executed: costs the payer no failure. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
  /** The gateway's facts contradict what was asked: a person must look. */
  | { readonly kind: 'review'; readonly reason: string };

type Refusal = Extract<ChargeAnswer, { kind: 'refused' }>;

/** What was asked of the gateway, as far as an answer is held against it. */
export type Asked = {
  readonly customerUid: string;
  readonly amount: Money;
  /** Whether the account is a test channel: a record of the other kind is not our charge. */
  readonly sandbox: boolean;
  /** Intents that were not proved unsent. */
  readonly sends: number;
  /** Records seen before the first send: they answer none of ours. */
  readonly seenBefore: ReadonlySet<string>;
};

/** Reads one POST's answer. A refusal is read by `judgeRefusal`, beside a look-up; a 401 is no answer to a charge. */
export function judgeAnswer(
  answer: Exclude<ChargeAnswer, { kind: 'refused' | 'unauthorized' }>,
  asked: Asked,
): ChargeOutcome {
  switch (answer.kind) {
    case 'paid':
    case 'declined':
      return judgeRecords([answer.record], asked);
    case 'not-sent':
      return answer;
    case 'unknown':
      return { kind: 'unknown', reason: answer.reason };
    default:
      return assertNever(answer);
  }
}

/**
 * Reads every record of one `merchant_uid`: paid wins over everything, whatever its age. A `failed` record answers one
 * send; while fewer are known than were sent, a slower send may still land, so the fate stays unknown.
 */
export function judgeRecords(records: readonly PaymentRecord[], asked: Asked): ChargeOutcome {
  const paid = records.filter((record) => record.status === 'paid');
  if (paid.length > 1) return { kind: 'review', reason: `captured ${paid.length} times: ${impUids(paid)}` };
  if (paid[0] !== undefined) return judgePaid(paid[0], asked);
  const cancelled = records.filter((record) => record.status === 'cancelled');
  if (cancelled.length > 0) return { kind: 'review', reason: `cancelled at the gateway: ${impUids(cancelled)}` };
  const failed = records.filter((record) => record.status === 'failed' && !asked.seenBefore.has(record.impUid));
  const newest = failed.reduce<PaymentRecord | null>(newer, null);
  if (newest !== null && asked.sends > 0 && failed.length >= asked.sends) {
    return { kind: 'declined', decline: newest.decline ?? UNSAID, impUid: newest.impUid };
  }
  return { kind: 'unknown', reason: undecided(records) };
}

/** Reads a look-up made for an attempt whose send had no usable answer. "Never heard of it" proves nothing yet. */
export function judgeLookUp(answer: LookUpAnswer, asked: Asked): ChargeOutcome {
  switch (answer.kind) {
    case 'found':
      return judgeRecords(answer.records, asked);
    case 'absent':
      return { kind: 'unknown', reason: 'the gateway knows no such payment yet' };
    case 'unclear':
      return { kind: 'unknown', reason: answer.reason };
    default:
      return assertNever(answer);
  }
}

/**
 * Reads a refusal (`code` ≠ 0) beside the look-up that followed it. It is final only where the look-up agrees that
 * nothing was captured; a refusal that speaks of a repeated id is never final by itself.
 */
export function judgeRefusal(refusal: Refusal, lookUp: LookUpAnswer, asked: Asked): ChargeOutcome {
  const seen = judgeLookUp(lookUp, asked);
  if (seen.kind !== 'unknown' || lookUp.kind === 'unclear') return seen;
  const pending = lookUp.kind === 'found' && lookUp.records.some((record) => !FINAL.has(record.status));
  if (pending || refusal.duplicate || asked.sends > 1) return seen;
  return { kind: 'rejected', decline: refusal.decline };
}

function judgePaid(record: PaymentRecord, asked: Asked): ChargeOutcome {
  const differs = differences(record, asked);
  if (differs.length === 0) return { kind: 'paid', record };
  return { kind: 'review', reason: `${record.impUid} was paid, but ${differs.join(', ')}` };
}

function differences(record: PaymentRecord, asked: Asked): string[] {
  const { amount } = record;
  const found: string[] = [];
  if (amount === null) found.push('its amount cannot be read');
  else if (amount.currency !== asked.amount.currency || amount.minor !== asked.amount.minor) {
    found.push(
      `its amount is ${amount.minor} ${amount.currency} and not ${asked.amount.minor} ${asked.amount.currency}`,
    );
  }
  if (record.customerUid !== null && record.customerUid !== asked.customerUid) found.push('another card paid');
  if (record.sandbox !== null && record.sandbox !== asked.sandbox) {
    found.push(record.sandbox ? 'it is a test payment' : 'it is a live payment');
  }
  return found;
}

function newer(best: PaymentRecord | null, record: PaymentRecord): PaymentRecord {
  return best === null || (record.startedAtMs ?? 0) > (best.startedAtMs ?? 0) ? record : best;
}

function undecided(records: readonly PaymentRecord[]): string {
  if (records.length === 0) return 'the gateway showed no payment';
  return `not decided at the gateway: ${records.map((record) => `${record.impUid} ${record.status}`).join(', ')}`;
}

function impUids(records: readonly PaymentRecord[]): string {
  return records.map((record) => record.impUid).join(', ');
}

const FINAL: ReadonlySet<PaymentRecord['status']> = new Set(['paid', 'failed', 'cancelled']);
const UNSAID: Decline = { class: 'other', reason: 'the gateway gave no reason' };
