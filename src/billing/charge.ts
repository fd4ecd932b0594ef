import type { MerchantUid } from './ids.ts';
import type { Money } from './money.ts';

/** What is asked of the gateway for one attempt; frozen on the attempt when its intent is written. */
export type ChargeRequest = {
  readonly merchantUid: MerchantUid;
  readonly customerUid: string;
  readonly amount: Money;
  readonly taxFreeMinor: number;
  readonly vatMinor: number | null;
  /** What the payer reads on the statement; at most 40 characters. */
  readonly name: string;
  readonly buyerName: string | null;
  readonly buyerEmail: string | null;
  readonly buyerTel: string | null;
  /** JSON text that PortOne stores beside the payment. */
  readonly customData: string;
};

/** One payment as the gateway was seen to tell of it. Instants in ms since 1970, null where PortOne says 0. */
export type PaymentRecord = {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly status: 'ready' | 'paid' | 'failed' | 'cancelled' | 'other';
  /** Null when the gateway's number is no exact amount of the currency. */
  readonly amount: Money | null;
  readonly cancelMinor: number;
  /** What was given back, one by one, the oldest first; left out where nothing was or nothing says. */
  readonly cancellations?: readonly Cancellation[];
  readonly customerUid: string | null;
  readonly sandbox: boolean | null;
  /** Why it failed, in our classes and in the company's words; null unless the status is `failed`. */
  readonly decline: Decline | null;
  readonly startedAtMs: number | null;
  readonly paidAtMs: number | null;
  readonly failedAtMs: number | null;
  /** The answer, parsed, without anything secret or personal. */
  readonly raw: Readonly<Record<string, unknown>>;
};

/** One cancellation in a payment's own history. */
export type Cancellation = {
  readonly cancellationId: string;
  /** Null when the gateway's number is no exact amount of the currency. */
  readonly minor: number | null;
};

/** A payment as a list of the gateway's shows it, with what else tells whose it is. */
export type ListedPayment = PaymentRecord & {
  /** The merchant's subscription id that `custom_data` names, where that is in our own form. */
  readonly subscription: string | null;
  /** What the gateway says made it: `payment` is `again`, `payment.scheduled` its own schedule, `issue` a key's issuing. */
  readonly usage: string | null;
};

/** A charge that the gateway has been told to make by itself. */
export type ListedSchedule = {
  readonly merchantUid: string;
  readonly customerUid: string;
  /** Ms since 1970. */
  readonly scheduleAtMs: number;
  /** Whether it is still to come: neither made nor revoked. */
  readonly isPending: boolean;
};

export const DECLINE_CLASSES = ['funds', 'card', 'key', 'time', 'verify', 'fraud', 'config', 'other'] as const;
/** Why a payment company said no, in the classes that a dunning policy speaks of. */
export type DeclineClass = (typeof DECLINE_CLASSES)[number];

/** A refusal: its class, and the company's own words, which are shown but never branched on again. */
export type Decline = {
  readonly class: DeclineClass;
  readonly reason: string;
  /** The card, or the payer's line, may not be tried again today, by any invoice. */
  readonly blockedToday?: true;
};

/** What one POST came to (protocol §2.5). `unknown` is the default: money may have moved, so look it up. */
export type ChargeAnswer =
  | { readonly kind: 'paid'; readonly record: PaymentRecord }
  | { readonly kind: 'declined'; readonly record: PaymentRecord; readonly decline: Decline }
  /** `code` ≠ 0: the gateway refused; a decline, or a repeated id, only once a look-up agrees. */
  | { readonly kind: 'refused'; readonly duplicate: boolean; readonly decline: Decline }
  /** Provably not executed: nothing was written to the wire. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** 401 in the gateway's own shape, answered before any payment company is called. */
  | { readonly kind: 'unauthorized'; readonly reason: string }
  /** `restSeconds`: the gateway asked for fewer charges at once (429), and how long its channel is to rest. */
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      readonly record?: PaymentRecord;
      readonly restSeconds?: number;
    };

/** Every payment the gateway knows under one `merchant_uid`, from all pages and statuses. */
export type LookUpAnswer =
  | { readonly kind: 'found'; readonly records: readonly PaymentRecord[] }
  /** "Never heard of it", in the gateway's own JSON shape. By itself it proves nothing. */
  | { readonly kind: 'absent' }
  /** No usable answer: ask again later. */
  | { readonly kind: 'unclear'; readonly reason: string };

/** What the gateway says of a stored billing key. */
export type BillingKeyAnswer =
  | {
      readonly kind: 'found';
      readonly sandbox: boolean | null;
      readonly pgProvider: string | null;
      readonly cardName: string | null;
      readonly cardNumberMasked: string | null;
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unclear'; readonly reason: string };
