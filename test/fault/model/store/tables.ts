import type { DunningPolicy } from '../../../../src/billing/policy.ts';
import { checkAttempt, checkInvoice, checkObservation, checkRefund, checkSubscription } from './protections.ts';
import type {
  AttemptRow,
  BillingKeyRow,
  ControlRow,
  CustomerRow,
  HistoryRow,
  InvoiceRow,
  ObservationRow,
  OutboxRow,
  RefundRow,
  SubscriptionRow,
} from './rows.ts';
import { Table } from './table.ts';

/** All rows, and the clock that the statements read. One statement is one call of `statement`: whole or not at all. */
export class Tables {
  nowMs = 0;
  /** Changes whenever the server starts anew; a restored database has another than its audit. */
  serverStart = 1;
  control: ControlRow = {
    sending_enabled: true,
    fingerprint: null,
    adopted_at: null,
    audited_at: null,
    audited_in: null,
    acknowledged_at: null,
    alarms: 'none',
  };
  readonly policies = new Map<string, DunningPolicy>();
  readonly billingKeys = new Map<string, BillingKeyRow>();
  readonly history: HistoryRow[] = [];
  readonly outbox: OutboxRow[] = [];
  readonly customers: Table<CustomerRow>;
  readonly subscriptions: Table<SubscriptionRow>;
  readonly invoices: Table<InvoiceRow>;
  readonly attempts: Table<AttemptRow>;
  readonly observations: Table<ObservationRow>;
  readonly refunds: Table<RefundRow>;
  #ids = 0;
  #undo: (() => void)[] = [];

  constructor() {
    const undo = (step: () => void) => void this.#undo.push(step);
    this.customers = new Table(undo, () => undefined);
    this.subscriptions = new Table(undo, (next, was) => {
      checkSubscription(next, was);
      this.#note('subscription', next.id, was?.status, next.status, { reason: null, fence: null });
    });
    this.invoices = new Table(undo, (next, was) => {
      checkInvoice(next, was, this.invoices.all());
      this.#note('invoice', next.id, was?.state, next.state, { reason: next.reason, fence: null });
    });
    this.attempts = new Table(undo, (next, was) => {
      checkAttempt(next, was, this.attempts.all());
      if (was?.state === next.state && !isNews(next, was)) return;
      this.#write('attempt', next.id, was?.state, next.state, { reason: next.fail_reason, fence: next.fence });
    });
    this.observations = new Table(undo, checkObservation);
    this.refunds = new Table(undo, (next, was) => {
      checkRefund(next, was, this.refunds.all());
      this.#note('refund', next.id, was?.state, next.state, { reason: next.reason, fence: 0 });
    });
  }

  /** Runs one statement. What it throws leaves every row as it was. */
  statement<Result>(work: () => Result): Result {
    const { length } = this.history;
    const told = this.outbox.length;
    this.#undo.length = 0;
    try {
      return work();
    } catch (error) {
      for (const step of this.#undo.reverse()) step();
      this.history.length = length;
      this.outbox.length = told;
      throw error;
    }
  }

  /** The next row id, shaped like a UUID and rising. */
  nextId(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }

  /** Everything as it is now; the function returned puts it back, as a backup does. */
  snapshot(): () => void {
    const { customers, subscriptions, invoices, attempts, observations, refunds } = this;
    const tables = [customers, subscriptions, invoices, attempts, observations, refunds];
    const restores = tables.map((table) => table.snapshot());
    const [control, history, outbox] = [this.control, this.history.length, this.outbox.length];
    const keys = [...this.billingKeys];
    return () => {
      for (const restore of restores) restore();
      this.control = control;
      this.history.length = Math.min(history, this.history.length);
      this.outbox.length = Math.min(outbox, this.outbox.length);
      for (const [id, row] of keys) this.billingKeys.set(id, row);
      this.serverStart += 1;
    };
  }

  #note(
    entity: HistoryRow['entity'],
    id: string,
    from: string | undefined,
    to: string,
    { reason, fence }: Pick<HistoryRow, 'reason' | 'fence'>,
  ): void {
    if (from !== to) this.#write(entity, id, from, to, { reason, fence });
  }

  #write(
    entity: HistoryRow['entity'],
    id: string,
    from: string | undefined,
    to: string,
    { reason, fence }: Pick<HistoryRow, 'reason' | 'fence'>,
  ): void {
    this.history.push({ entity, entity_id: id, from_state: from ?? null, to_state: to, reason, fence, at: this.nowMs });
  }
}

/** What is noted although the attempt stays where it is. */
function isNews(next: AttemptRow, was: AttemptRow): boolean {
  if (next.fail_reason === null) return false;
  return next.fail_reason !== was.fail_reason || next.not_found_count > was.not_found_count;
}
