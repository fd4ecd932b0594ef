import type { Transition } from './billing/attempt.ts';
import type { LookUpAnswer } from './billing/charge.ts';
import type { AttemptId, InvoiceId } from './billing/ids.ts';
import type { ChargeOutcome } from './billing/outcome.ts';
import type { RefundState } from './billing/refund.ts';

/** What happened, as the flows tell it. Log lines, the summary and, later, metrics derive from these. */
export type BillingEvent =
  | {
      readonly kind: 'tick.finished';
      readonly drawnUp: number;
      readonly held: number;
      readonly rung: number;
      readonly tookMs: number;
    }
  | { readonly kind: 'sweep.finished'; readonly expired: number; readonly rung: number }
  | {
      readonly kind: 'charge.finished';
      readonly invoiceId: InvoiceId;
      readonly attemptId: AttemptId;
      readonly attemptNumber: number;
      readonly merchantUid: string;
      readonly subscription: string;
      readonly outcome: ChargeOutcome['kind'] | 'held' | 'void' | 'waived' | 'deferred';
      readonly next: Transition['decision'];
      readonly reason: string | null;
      readonly tookMs: number;
    }
  /** Money that the gateway took found its place: `doubled` and `review` need a person, or config's leave to refund. */
  | {
      readonly kind: 'capture.accounted';
      readonly as: 'settled' | 'doubled' | 'review';
      readonly impUid: string;
      readonly merchantUid: string;
      readonly invoiceId: InvoiceId;
      readonly subscription: string;
      readonly reason: string;
    }
  /** A refund was worked on: `failed` needs a person. */
  | {
      readonly kind: 'refund.finished';
      readonly refundId: string;
      readonly invoiceId: InvoiceId;
      readonly impUid: string;
      readonly subscription: string;
      /** `superseded`: somebody else's record stands. */
      readonly state: RefundState | 'superseded';
      readonly reason: string | null;
    }
  /** An audit was made to its end. `passed`: first attempts may go without a look-up from now on. */
  | {
      readonly kind: 'audit.finished';
      readonly listed: number;
      readonly ours: number;
      readonly findings: number;
      readonly passed: boolean;
      readonly tookMs: number;
    }
  /** The gateway's books and ours differ, and a person must look. */
  | {
      readonly kind: 'audit.found';
      readonly found: string;
      readonly impUid: string | null;
      readonly merchantUid: string;
      readonly reason: string;
    }
  /** The gateway's books could not be read to their end; the audit is made again in minutes. */
  | { readonly kind: 'audit.unclear'; readonly reason: string }
  /** The charges that the gateway makes by itself could not be listed: a card of ours may be charged twice. It is tried again in minutes. */
  | { readonly kind: 'audit.schedules_unclear'; readonly reason: string }
  /** An event was delivered to an endpoint or a hook (`hook:…`) of the merchant's, or was not, and goes again. */
  | {
      readonly kind: 'delivery.finished';
      readonly endpoint: string;
      readonly eventId: string;
      readonly event: string;
      readonly tries: number;
      readonly outcome: 'delivered' | 'failed' | 'undone';
      readonly reason: string | null;
    }
  /** An endpoint asked to be left alone: nothing goes there until a person acts. */
  | { readonly kind: 'endpoint.disabled'; readonly endpoint: string; readonly reason: string }
  /** Nothing leaves from now on, until a person says `maedal send on`. */
  | { readonly kind: 'sending.stopped'; readonly by: string; readonly reason: string }
  /** The database belongs to another installation: this process reads only. */
  | { readonly kind: 'fence.closed'; readonly where: string; readonly reason: string }
  /** A failpoint is about to act; tests alone have any. */
  | { readonly kind: 'failpoint.fired'; readonly name: string }
  /** Nothing is added to the queue until workers have taken some: are there any? */
  | { readonly kind: 'queue.full'; readonly waiting: number }
  /** A payment was looked up because a webhook named it. */
  | { readonly kind: 'hint.followed'; readonly merchantUid: string; readonly answer: LookUpAnswer['kind'] }
  /** A job that found nothing to do: a doubled or stale ring. */
  | { readonly kind: 'job.idle'; readonly attemptId: AttemptId }
  /** Somebody else's record stands. */
  | { readonly kind: 'record.superseded'; readonly attemptId: AttemptId }
  /** Nothing can be sent, by this channel or, where that is null, by any; a person must act. */
  | { readonly kind: 'gateway.refused'; readonly reason: string; readonly channel: string | null }
  /** The gateway has too many charges of a channel: none leaves by it for so long. */
  | { readonly kind: 'gateway.slowed'; readonly channel: string; readonly seconds: number }
  | { readonly kind: 'subscription.broken'; readonly subscription: string; readonly error: Error }
  /** A unit of work threw; its lease or the next tick repeats it. */
  | { readonly kind: 'work.failed'; readonly where: string; readonly error: Error }
  /** Something this process needs is not there yet; it goes on asking. */
  | { readonly kind: 'waiting'; readonly what: string; readonly error: Error }
  /** What the PostgreSQL of our own does at its start. */
  | { readonly kind: 'embedded.says'; readonly text: string }
  /** The PostgreSQL of our own ended by itself, or does not start again. */
  | { readonly kind: 'embedded.failed'; readonly text: string }
  /** A line that the merchant's code wrote; `hook` is null where nothing tells whose. */
  | {
      readonly kind: 'hook.said';
      readonly hook: string | null;
      readonly severity: 'debug' | 'info' | 'warn' | 'error';
      readonly text: string;
    }
  /** A before-hook did not answer as it should: `onError` says what follows. Undone, it is asked again at once. */
  | {
      readonly kind: 'hook.failed';
      readonly hook: string;
      readonly invoiceId: InvoiceId;
      readonly reason: string;
      readonly follows: 'block' | 'proceed' | 'defer' | 'again';
    }
  | { readonly kind: 'connection.failed'; readonly where: string; readonly error: Error };

/** Where flows report to. Never throws. */
export type Report = (event: BillingEvent) => void;

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
