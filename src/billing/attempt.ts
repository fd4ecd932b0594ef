import type { DateTime } from 'luxon';
import type { Decline, DeclineClass } from './charge.ts';
import type { Decision, Standing } from './dunning.ts';
import type { ChargeOutcome } from './outcome.ts';
import type { SubscriptionEnd } from './policy.ts';

/** How an attempt stands. `prepared`, `sent`, `unknown`, `paid` and `review` are alive: no other of the invoice can start. */
export type AttemptState = 'prepared' | 'sent' | 'unknown' | 'paid' | 'declined' | 'rejected' | 'review' | 'canceled';

/** Where an attempt may go from each state. The database keeps the same chart by a trigger, and a test compares the two. */
export const ATTEMPT_CHART: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  prepared: ['sent', 'canceled', 'paid', 'declined', 'review'],
  sent: ['prepared', 'paid', 'declined', 'rejected', 'unknown', 'review'],
  unknown: ['prepared', 'paid', 'declined', 'rejected', 'review', 'canceled'],
  paid: ['review'],
  declined: ['paid'],
  rejected: ['paid'],
  review: ['prepared', 'paid', 'declined', 'canceled'],
  canceled: ['paid'],
};

/** What happened to an attempt. Every actor says it in these words: worker, reconciler, sweep, audit and operator. */
export type AttemptEvent =
  | { readonly kind: 'outcome'; readonly outcome: ChargeOutcome }
  /** Never sent, and not to be: its invoice waits for a person, is void, or waived. */
  | { readonly kind: 'withdrawn'; readonly to: 'held' | 'void' | 'waived'; readonly reason: string }
  /** Not sent now, and not for want of a gateway: it goes at `until`. */
  | { readonly kind: 'deferred'; readonly until: DateTime; readonly reason: string }
  /** Never sent, and another attempt of the invoice turned out to be paid. */
  | { readonly kind: 'overtaken' }
  /** Declined, and no card was left to try: the last instant for another one has come, or another one has. */
  | {
      readonly kind: 'card_awaited';
      readonly decline: Decline;
      readonly barredUntil: DateTime | null;
      /** When it was let go after it was held; null where it was not. */
      readonly releasedAt: DateTime | null;
    }
  /** Captured, as the facts say, whatever its state: an answer that never came, a decline that turned paid. */
  | { readonly kind: 'captured'; readonly impUid: string; readonly merchantUid: string };

/** How an attempt stands when something happens to it. */
export type AttemptStanding = Standing & { readonly state: AttemptState };

/** What follows, as data: `store/record.ts` alone carries it out, in one statement. */
export type Transition = {
  /** The attempt's states that this may follow; from any other, somebody else's answer stands. */
  readonly from: readonly AttemptState[];
  /** `fenced`: a newer lease overrules it. Facts of the gateway are `unfenced`. */
  readonly fence: 'fenced' | 'unfenced';
  /** Only while its invoice waits for another card and its subscription is charged: a card that came meanwhile has it charged. */
  readonly whileAwaiting?: true;
  readonly decision: Decision['kind'] | 'withdraw' | 'defer';
  readonly attempt: {
    readonly state: AttemptState;
    readonly impUid?: string;
    readonly declineClass?: DeclineClass;
    readonly failReason?: string;
    /** The intent, if there was one, is proved unsent. */
    readonly notSent?: boolean;
    /** Whether the gateway settles one of its ids neither way; left out, that is as it was. */
    readonly unsettled?: boolean;
    /** One more "not found" since the last send. */
    readonly notFound?: boolean;
    /** The last of the sends that nothing answered; bars another id until its quarantine is over. */
    readonly unansweredAt?: DateTime;
    /** Until when nothing is charged on its card, for any invoice: the payment company said so. */
    readonly cardBlockedUntil?: DateTime;
  };
  readonly invoice: {
    readonly state: 'open' | 'retrying' | 'held' | 'review' | 'paid' | 'void' | 'waived' | 'uncollectible';
    readonly reason?: string;
    readonly nextAt?: DateTime;
    /** The card that its next attempt is made on; left out, the subscription's own. */
    readonly retryCardId?: string;
    /** Whether this counts as one of the payer's failures. */
    readonly failed?: boolean;
    /** Late watch: when what ended is looked at once more, because something of it may still land. */
    readonly watchAt?: DateTime;
  };
  /** `settled`: back to active, unless something else is owed. `accumulate`: past due, and without access. */
  readonly subscription?: 'past_due' | 'settled' | SubscriptionEnd | 'accumulate';
  readonly events: readonly { readonly kind: string; readonly payload: Readonly<Record<string, unknown>> }[];
};
