import type { SimulatedAttempt } from '../store/simulated-attempts.ts';

/** How invoices ended that were declined at least once. */
export type Recovery = {
  readonly declined: number;
  readonly recovered: number;
  readonly given_up: number;
  /** Still being collected, or left to a person. */
  readonly open: number;
  /** Days from the first decline to the charge that succeeded, of the invoice in the middle; null where none did. */
  readonly median_days: number | null;
};

/** Adds up what became of declined invoices. */
export function recoveryOf(attempts: readonly SimulatedAttempt[]): Recovery {
  const declined = new Map<string, Date>();
  const last = new Map<string, SimulatedAttempt>();
  for (const attempt of attempts) {
    const invoice = `${attempt.periodKey} ${attempt.subscription}`;
    last.set(invoice, attempt);
    const isDecline = attempt.state === 'declined' || attempt.state === 'rejected';
    if (isDecline && !declined.has(invoice)) declined.set(invoice, attempt.attemptDueAt ?? attempt.dueAt);
  }
  const days: number[] = [];
  let givenUp = 0;
  for (const [invoice, since] of declined) {
    const end = last.get(invoice);
    if (end?.invoiceState === 'uncollectible') givenUp += 1;
    if (end?.invoiceState === 'paid' && end.invoicePaidAt !== null) {
      days.push((end.invoicePaidAt.getTime() - since.getTime()) / DAY_MS);
    }
  }
  return {
    declined: declined.size,
    recovered: days.length,
    given_up: givenUp,
    open: declined.size - days.length - givenUp,
    median_days: median(days),
  };
}

function median(days: readonly number[]): number | null {
  const middle = [...days].sort((one, other) => one - other)[Math.floor((days.length - 1) / 2)];
  return middle === undefined ? null : Math.round(middle * 10) / 10;
}

const DAY_MS = 86_400_000;
