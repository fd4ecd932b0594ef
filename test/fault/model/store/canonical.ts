import { DateTime } from 'luxon';

/** A value as both sides can say it: ids by their names, instants in ms, numbers plain, sets without an order. */
export function canonical(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return names.get(value) ?? value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.getTime();
  if (value instanceof DateTime) return value.toMillis();
  if (value instanceof Set) return canonical([...value], names);
  if (Array.isArray(value)) return value.map((item) => canonical(item, names)).sort(byText);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, canonical(item, names)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** The rows of one side with the columns that both keep, so that equal tables give equal text. */
export function canonicalRows(
  rows: Record<string, Record<string, unknown>[]>,
  names: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(COLUMNS).map(([table, columns]) => [
      table,
      (rows[table] ?? [])
        .map((row) => canonical(Object.fromEntries(columns.map((column) => [column, row[column]])), names))
        .sort(byText),
    ]),
  );
}

function byText(one: unknown, other: unknown): number {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  customer: ['external_id', 'caught_up_at'],
  subscription: ['external_id', 'amount', 'status', 'next_period', 'next_due_at', 'last_drawn_at', 'canceled_at'],
  invoice: [
    ...['id', 'subscription_id', 'period_key', 'period_index', 'period_start', 'period_end', 'due_at', 'amount'],
    ...['currency', 'tax_free', 'vat', 'name', 'state', 'reason', 'next_at', 'failures', 'last_attempt_at'],
    ...['policy_version_id', 'paid_at', 'watch_at', 'retry_key_id', 'spaced'],
  ],
  attempt: [
    ...['invoice_id', 'number', 'merchant_uid', 'state', 'billing_key_id', 'customer_uid', 'amount', 'currency'],
    ...['tax_free', 'vat', 'name', 'generation', 'rung_at', 'fence', 'lease_until', 'lease_count', 'send_count'],
    ...['not_sent_count', 'not_found_count', 'first_sent_at', 'sent_at', 'answered_at', 'unanswered_at', 'imp_uid'],
    ...['unsettled_since', 'decline_class', 'fail_reason'],
  ],
  observation: [
    ...['imp_uid', 'merchant_uid', 'attempt_id', 'status', 'amount', 'currency', 'cancel_amount', 'customer_uid'],
    ...['sandbox', 'fail_reason', 'started_at', 'paid_at', 'failed_at', 'learnt_by', 'first_seen_at', 'last_seen_at'],
    ...['account_at', 'accounted_as', 'gone_at'],
  ],
  refund: ['invoice_id', 'imp_uid', 'amount', 'currency', 'checksum', 'reason', 'requested_by', 'state', 'next_at'],
  outbox: ['kind', 'subscription_id', 'invoice_id', 'payload', 'next_at'],
  history: ['entity', 'entity_id', 'from_state', 'to_state', 'reason', 'fence', 'at'],
};
