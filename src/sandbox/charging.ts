import type { Money } from '../billing/money.ts';
import { type Card, type Course, courseOf, declined } from './cards.ts';
import { awaitFuture, type Core, DUPLICATE_UID, isUidTaken, record } from './core.ts';
import type { Payment, Person } from './entry.ts';
import type { Detour } from './faults/course.ts';
import { issueImpUid } from './numbers.ts';

/** What a caller asks to be charged. */
export type ChargeAsk = {
  readonly merchantUid: string;
  readonly customerUid: string | null;
  readonly usage: Payment['usage'];
  readonly amount: Money;
  readonly card: Card;
  readonly pgProvider: string;
  readonly pgId: string;
  readonly name: string | null;
  readonly buyer: Person;
  readonly cardQuota: number;
  readonly customData: string | null;
  readonly noticeUrl: string | null;
  readonly userAgent: string | null;
  readonly cause: Payment['cause'];
  /** Another way than the card's. */
  readonly detour: Detour | null;
  /** When the charge is made, for one that was due in the past; null now. */
  readonly atMs: number | null;
};

/** How a charge ends for the caller. What it left in the ledger is already recorded, but not yet synced. */
export type Ending =
  | { readonly kind: 'payment'; readonly payment: Payment }
  | { readonly kind: 'refusal'; readonly code: number; readonly message: string }
  /** The answer is cut off in the middle. */
  | { readonly kind: 'torn'; readonly payment: Payment }
  | { readonly kind: 'drop' | 'envelope-500' | 'page-500' | 'silence' };

/** Charges a card: asks the duplicate rule, waits as long as the payment company thinks, records what came of it. */
export async function charge(core: Core, ask: ChargeAsk): Promise<Ending> {
  if (isUidTaken(core, ask.merchantUid)) return duplicate(core, ask);
  if (core.modes.chargeLatencyMs > 0) {
    await core.time.pass(core.modes.chargeLatencyMs);
    if (core.modes.concurrency === 'serialise' && isUidTaken(core, ask.merchantUid)) return duplicate(core, ask);
  }
  return chargeAtOnce(core, ask);
}

/** The charge itself: nobody asks whether the merchant_uid was used before. */
export function chargeAtOnce(core: Core, ask: ChargeAsk): Ending {
  const course = courseFor(core, ask);
  const asError = course.answer === 'refusal' || (course.leaves === 'failed' && core.modes.declineShape === 'error');
  const payment = leave(
    core,
    asError && !core.modes.errorLeavesRecord ? { ...course, leaves: 'nothing' } : course,
    ask,
  );
  if (asError) return refusal(`결제승인에 실패하였습니다. ${course.failReason ?? ''}`);
  switch (course.answer) {
    case 'payment':
    case 'torn':
      return { kind: course.answer, payment };
    default:
      return { kind: course.answer };
  }
}

/** An answer with code -1 and no payment. */
export function refusal(message: string, code = -1): Ending {
  return { kind: 'refusal', code, message };
}

/** A merchant_uid that is taken: by mode, the attempt leaves a `failed` record all the same. */
function duplicate(core: Core, ask: ChargeAsk): Ending {
  if (core.modes.duplicateLeavesRecord) leave(core, declined(DUPLICATE_UID), ask);
  return refusal(DUPLICATE_UID);
}

/** What the payment company does: its own rules on amounts come before the card's behaviour. */
function courseFor(core: Core, { amount, cardQuota, card, customerUid, detour }: ChargeAsk): Course {
  const isKrw = amount.currency === 'KRW';
  if (amount.minor < Math.max(1, isKrw ? core.modes.minimumKrw : 1))
    return declined('[3041]결제금액 오류(최소금액 미만)');
  if (isKrw && cardQuota >= 2 && amount.minor < INSTALMENTS_FROM_KRW) {
    return declined('[3024]할부개월 오류(5만원 미만 할부불가)');
  }
  return detour?.course ?? courseOf(card, customerUid === null || !core.state.chargedKeys.has(customerUid));
}

function leave(core: Core, course: Course, ask: ChargeAsk): Payment {
  const payment = draft(core, course, ask);
  if (course.leaves === 'paid-later') record(core, { kind: 'capture-promised', payment });
  else if (course.leaves !== 'nothing') record(core, { kind: 'payment', payment });
  if (course.leaves !== 'nothing') awaitFuture(core, payment);
  return payment;
}

function draft(core: Core, course: Course, { amount, detour, atMs, ...ask }: ChargeAsk): Payment {
  const nowMs = atMs ?? core.time.nowMs();
  const impUid = issueImpUid(core.state, nowMs);
  const serial = impUid.slice('imps_'.length);
  const status = STATUS[course.leaves];
  const isUndecided = course.leaves.endsWith('-then-paid') || course.leaves === 'paid-later';
  return {
    ...ask,
    impUid,
    minor: amount.minor,
    currency: amount.currency,
    pgTid: `${ask.pgId}${serial}`,
    applyNum: status === 'failed' ? null : serial.slice(-8),
    status,
    startedAtMs: nowMs,
    paidAtMs: status === 'paid' ? nowMs : null,
    failedAtMs: status === 'failed' ? nowMs : null,
    failReason: course.failReason,
    cancels: [],
    settlesAtMs: isUndecided ? nowMs + (detour?.settleAfterMs ?? core.modes.settleAfterMs) : null,
    reversesAtMs: status === 'paid' && detour?.reverseAfterMs != null ? nowMs + detour.reverseAfterMs : null,
  };
}

const STATUS = {
  paid: 'paid',
  failed: 'failed',
  'failed-then-paid': 'failed',
  'ready-then-paid': 'ready',
  'paid-later': 'ready',
  nothing: 'ready',
} as const;
const INSTALMENTS_FROM_KRW = 50_000;
