/** How an invoice stands. `open` and `retrying` are collected; `held` and `review` wait for a person. */
export type InvoiceState =
  | 'open'
  | 'retrying'
  | 'held'
  | 'review'
  | 'paid'
  | 'refunded'
  | 'waived'
  | 'void'
  | 'uncollectible';

/** Where an invoice may go from each state. The database keeps the same chart by a trigger, and a test compares the two. */
export const INVOICE_CHART: Readonly<Record<InvoiceState, readonly InvoiceState[]>> = {
  open: ['retrying', 'held', 'review', 'paid', 'void', 'uncollectible', 'waived'],
  retrying: ['open', 'held', 'review', 'paid', 'void', 'uncollectible', 'waived'],
  held: ['open', 'retrying', 'review', 'paid', 'void'],
  review: ['open', 'retrying', 'held', 'paid', 'void'],
  paid: ['review', 'refunded'],
  refunded: ['review'],
  waived: ['review'],
  void: ['review'],
  uncollectible: ['retrying', 'review', 'paid', 'void'],
};

/** Reason of an invoice whose next instant is the last on which another card may come. */
export const AWAITING_CARD = 'awaiting_card';
/** Reason of an invoice that is held because its ladder ended on a refusal of the merchant's own account. */
export const ACCOUNT_REFUSED = 'account_refused';
/** Reason of an invoice that is held while its subscription is paused or stands unpaid. */
export const STOPPED = 'subscription_stopped';
/** Reason of an invoice that was given up, and that its subscription owes no more. */
export const WRITTEN_OFF = 'written_off';
