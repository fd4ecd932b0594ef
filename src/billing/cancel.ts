import type { Cancellation, PaymentRecord } from './charge.ts';
import type { Money } from './money.ts';

/** What is asked of the gateway to give money back. */
export type CancelRequest = {
  readonly impUid: string;
  /** Above zero: the gateway takes 0 for "all of it". */
  readonly amount: Money;
  /** What we take the payment's cancellable balance for; where it is another, the gateway refuses and moves nothing. */
  readonly checksum: Money;
  /** Kept beside the cancellation at the gateway. */
  readonly reason: string;
};

/** A payment, and what was given back of it, the oldest first. */
export type CancellablePayment = { readonly record: PaymentRecord; readonly cancellations: readonly Cancellation[] };

/** What one POST to cancel came to. `unknown` is the default: money may have moved, so look at the payment. */
export type CancelAnswer =
  /** The gateway says that something was given back; how much, its record tells. */
  | ({ readonly kind: 'done' } & CancellablePayment)
  /** `code` ≠ 0: the gateway refused, and a look at the payment is to agree. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Provably not executed: nothing was written to the wire. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** 401 in the gateway's own shape, answered before any payment company is called. */
  | { readonly kind: 'unauthorized'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What the gateway says of one payment, test payments included. */
export type PaymentAnswer =
  | ({ readonly kind: 'found' } & CancellablePayment)
  /** "Never heard of it", in the gateway's own JSON shape. */
  | { readonly kind: 'absent' }
  /** No usable answer: ask again later. */
  | { readonly kind: 'unclear'; readonly reason: string };
