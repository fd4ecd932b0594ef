/** How an attempt stands. `prepared`, `sent`, `unknown`, `paid` and `review` are alive: no other of the invoice can start. */
export type AttemptState = 'prepared' | 'sent' | 'unknown' | 'paid' | 'declined' | 'rejected' | 'review' | 'canceled';

/** Where an attempt may go from each state. The database keeps the same chart by a trigger, and a test compares the two. */
export const ATTEMPT_CHART: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  prepared: ['sent', 'canceled', 'paid', 'review'],
  sent: ['prepared', 'paid', 'declined', 'rejected', 'unknown', 'review'],
  unknown: ['prepared', 'paid', 'declined', 'rejected', 'review'],
  paid: ['review'],
  declined: ['paid'],
  rejected: ['paid'],
  review: ['prepared', 'paid', 'declined', 'canceled'],
  canceled: ['paid'],
};
