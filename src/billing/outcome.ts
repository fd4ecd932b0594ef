import type { ChargeAnswer, Decline, LookUpAnswer, PaymentRecord } from './charge.ts';
import { assertNever } from './errors.ts';
import type { Money } from './money.ts';

/** What one attempt came to. `unknown`: money may have moved, so look it up and never charge again blindly. */
export type ChargeOutcome =
  | { readonly kind: 'paid'; readonly record: PaymentRecord }
  /** `unanswered`: sends that no record answers and that may still land (protocol §2.6, M21). */
  | { readonly kind: 'declined'; readonly decline: Decline; readonly impUid: string; readonly unanswered: number }
  /** Refused without a payment record; a look-up agreed that there is none. */
  | { readonly kind: 'rejected'; readonly decline: Decline; readonly unanswered: number }
  /**
   * Provably not executed: costs the payer no failure. `unsettled`: whether the gateway shows one of its ids as neither
   * paid nor failed, or no longer shows it; left out where that was not asked.
   */
  | { readonly kind: 'not-sent'; readonly reason: string; readonly unsettled?: boolean }
  /** `restSeconds`: how long nothing else is to be sent by its channel; left out where the gateway asked for no rest. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly restSeconds?: number }
  /** The gateway never heard of it, in its own words. By itself no proof of anything; `horizon` as it was then. */
  | { readonly kind: 'not-found'; readonly horizon: Asked['horizon'] }
  /** Proved never to have arrived (`absence.ts`), `beside` a payment that is found: the same id may be sent again. */
  | { readonly kind: 'absent'; readonly beside: string }
  /** The gateway's facts contradict what was asked: a person must look. */
  | { readonly kind: 'review'; readonly reason: string };

type Captured = Pick<PaymentRecord, 'amount' | 'customerUid' | 'sandbox'>;
type Refusal = Extract<ChargeAnswer, { kind: 'refused' }>;

/** What was asked of the gateway, as far as an answer is held against it. */
export type Asked = {
  readonly customerUid: string;
  readonly amount: Money;
  /** Whether the account is a test channel: a record of the other kind is not our charge. */
  readonly sandbox: boolean;
  /** Intents that were not proved unsent. */
  readonly sends: number;
  /** `over`: the last send lies further back than a capture may still land (H of protocol §2.6). */
  readonly horizon: 'open' | 'over';
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
      return answer.restSeconds === undefined
        ? { kind: 'unknown', reason: answer.reason }
        : { kind: 'unknown', reason: answer.reason, restSeconds: answer.restSeconds };
    default:
      return assertNever(answer);
  }
}

/**
 * Reads every record of one `merchant_uid`: paid wins over everything, whatever its age, and of several captures the
 * earliest one as asked counts; the others are accounted for by themselves (`capture.ts`). A `failed` record answers one
 * send; while fewer are known than were sent, a slower send may still land, so the fate stays unknown until the horizon.
 */
export function judgeRecords(records: readonly PaymentRecord[], asked: Asked): ChargeOutcome {
  const paid = records.filter((record) => record.status === 'paid').sort(byCapture);
  if (paid[0] !== undefined)
    return judgePaid(paid.find((record) => differences(record, asked).length === 0) ?? paid[0], asked);
  const cancelled = records.filter((record) => record.status === 'cancelled');
  if (cancelled.length > 0) return { kind: 'review', reason: `cancelled at the gateway: ${impUids(cancelled)}` };
  const failed = records.filter((record) => record.status === 'failed');
  const answers = failed.filter((record) => !asked.seenBefore.has(record.impUid));
  const newest = (answers.length > 0 ? answers : failed).reduce<PaymentRecord | null>(newer, null);
  const unanswered = Math.max(0, asked.sends - answers.length);
  const isOver = asked.horizon === 'over' && failed.length === records.length;
  // A company that cannot say what became of it may still say that it was paid.
  const isAnswered = unanswered === 0 && newest?.decline?.class !== 'verify';
  if (newest !== null && asked.sends > 0 && (isAnswered || isOver)) {
    return { kind: 'declined', decline: newest.decline ?? UNSAID, impUid: newest.impUid, unanswered };
  }
  return { kind: 'unknown', reason: undecided(records, newest?.decline ?? null) };
}

/** Reads a look-up made for an attempt whose send had no usable answer. "Never heard of it" proves nothing yet. */
export function judgeLookUp(answer: LookUpAnswer, asked: Asked): ChargeOutcome {
  switch (answer.kind) {
    case 'found':
      return judgeRecords(answer.records, asked);
    case 'absent':
      return { kind: 'not-found', horizon: asked.horizon };
    case 'unclear':
      return { kind: 'unknown', reason: answer.reason };
    default:
      return assertNever(answer);
  }
}

/**
 * Reads a refusal (`code` ≠ 0) beside the look-up that followed it. It is final only where the look-up agrees that
 * nothing was captured; a refusal that speaks of a repeated id is never final by itself. It answers the last send
 * alone: an earlier one, proved absent before this one left, keeps its quarantine.
 */
export function judgeRefusal(refusal: Refusal, lookUp: LookUpAnswer, asked: Asked): ChargeOutcome {
  const seen = judgeLookUp(lookUp, asked);
  if (seen.kind !== 'unknown' && seen.kind !== 'not-found') return seen;
  const pending = lookUp.kind === 'found' && lookUp.records.some((record) => !FINAL.has(record.status));
  const isUncertain = refusal.duplicate || refusal.decline.class === 'verify';
  if (lookUp.kind === 'unclear' || pending || isUncertain) return asUnknown(seen, refusal);
  return { kind: 'rejected', decline: refusal.decline, unanswered: Math.max(0, asked.sends - 1) };
}

/** Right after a send, "never heard of it" is not one of the answers that prove an absence. */
function asUnknown(
  seen: Extract<ChargeOutcome, { kind: 'unknown' | 'not-found' }>,
  { decline }: Refusal,
): ChargeOutcome {
  return seen.kind === 'unknown' ? seen : { kind: 'unknown', reason: `refused (${decline.reason}), but not found` };
}

function judgePaid(record: PaymentRecord, asked: Asked): ChargeOutcome {
  const differs = differences(record, asked);
  if (differs.length === 0) return { kind: 'paid', record };
  return { kind: 'review', reason: `${record.impUid} was paid, but ${differs.join(', ')}` };
}

/** What sets a capture apart from what was asked, in words; nothing if it is as asked. */
export function differences(record: Captured, asked: Pick<Asked, 'customerUid' | 'amount' | 'sandbox'>): string[] {
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

/** The earliest capture first; of one instant, the lower number. */
function byCapture(one: PaymentRecord, other: PaymentRecord): number {
  return (one.paidAtMs ?? 0) - (other.paidAtMs ?? 0) || one.impUid.localeCompare(other.impUid);
}

function newer(best: PaymentRecord | null, record: PaymentRecord): PaymentRecord {
  return best === null || (record.startedAtMs ?? 0) > (best.startedAtMs ?? 0) ? record : best;
}

function undecided(records: readonly PaymentRecord[], decline: Decline | null): string {
  if (decline?.class === 'verify') return `the payment company cannot say what became of it: ${decline.reason}`;
  if (records.length === 0) return 'the gateway showed no payment';
  return `not decided at the gateway: ${records.map((record) => `${record.impUid} ${record.status}`).join(', ')}`;
}

function impUids(records: readonly PaymentRecord[]): string {
  return records.map((record) => record.impUid).join(', ');
}

const FINAL: ReadonlySet<PaymentRecord['status']> = new Set(['paid', 'failed', 'cancelled']);
const UNSAID: Decline = { class: 'other', reason: 'the gateway gave no reason' };
