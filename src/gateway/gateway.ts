import type { DateTime } from 'luxon';
import type { CancelAnswer, CancelRequest, PaymentAnswer } from '../billing/cancel.ts';
import type {
  BillingKeyAnswer,
  ChargeAnswer,
  ChargeRequest,
  ListedPayment,
  ListedSchedule,
  LookUpAnswer,
} from '../billing/charge.ts';

/** A payment gateway as the flows know it. No method throws for what the network or the gateway does. */
export interface Gateway {
  /**
   * Has a token in hand that lives at least two more minutes, asking for one if need be, so that no time is lost
   * between an intent and its POST. In the minute in which PortOne neither extends nor replaces its token, what it just
   * confirmed (one more minute) will do. `refresh` asks even if a fresh token is in hand (after a 401).
   */
  ready(options?: { readonly refresh?: boolean }): Promise<Readiness>;
  /**
   * Exactly one POST; no retry, no redirect. Call `ready()` first. `timeoutMs` bounds the whole exchange; past it the
   * answer is `unknown`. `mayStart` is asked once a connection is there, right before the first byte is written: where
   * it says no, nothing is, and the answer is `not-sent`.
   */
  charge(request: ChargeRequest, timeoutMs: number, mayStart: () => boolean): Promise<ChargeAnswer>;
  /** Every payment under this `merchant_uid`: all statuses, all pages. */
  lookUp(merchantUid: string): Promise<LookUpAnswer>;
  /**
   * Gives money back, whole or in part: exactly one POST; no retry, no redirect. Call `ready()` first. Past `timeoutMs`
   * the answer is `unknown`; where `mayStart` says no, it is `not-sent`, as for a charge.
   */
  cancel(request: CancelRequest, timeoutMs: number, mayStart: () => boolean): Promise<CancelAnswer>;
  /** The payment of that `imp_uid`, test payments included. */
  payment(impUid: string): Promise<PaymentAnswer>;
  /** What is stored under a `customer_uid`. */
  billingKey(customerUid: string): Promise<BillingKeyAnswer>;
  /**
   * Every payment that was captured in the window and stands paid, or was cancelled in it, or in the 90 days to its end,
   * whoever asked for it: all pages, each handed to `take` as it comes. One that is cancelled meanwhile may be shown twice, and none is missed.
   * Rejects only with what `take` throws.
   */
  payments(window: Window, take: Take<ListedPayment>): Promise<Listing>;
  /** The charges that the gateway is to make by itself in the window, on one card where one is named; likewise. */
  schedules(window: Window & { readonly customerUid?: string }, take: Take<ListedSchedule>): Promise<Listing>;
  /** Lets go of the connections. A call in flight is finished first. */
  close(): Promise<void>;
}

/** Whether calls can be made now, and the gateway's clock as `getToken` told it (ms since 1970). */
export type Readiness =
  | { readonly kind: 'ready'; readonly gatewayNowMs: number }
  /** The key pair was refused: an operator must act. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly reason: string };

/** From an instant to another one by the gateway's clock, seconds included at both ends. */
export type Window = { readonly from: DateTime; readonly until: DateTime };

/** Is handed one page of a list, and waited for before the next is asked for. */
export type Take<Item> = (page: readonly Item[]) => Promise<void>;

/** Whether the list was read to its end. `unclear`: pages were taken, and others may be missing. */
export type Listing =
  | { readonly kind: 'whole'; readonly count: number }
  | { readonly kind: 'unclear'; readonly reason: string };
