import type { Intent, IntentLimits } from '../../../../src/store/intent.ts';
import type { LeasedAttempt } from '../../../../src/store/lease.ts';
import { unansweredAt } from './leasing.ts';
import type { AttemptRow, BillingKeyRow, InvoiceRow, ObservationRow, SubscriptionRow } from './rows.ts';
import type { Tables } from './tables.ts';

const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
const LEASE_MARGIN_MS = 30_000;
const DAY_MS = 86_400_000;

/** `store/intent.ts` in memory: `prepared → sent`. */
export function writeIntent(tables: Tables, attempt: LeasedAttempt, limits: IntentLimits): Intent {
  const subscription = tables.subscriptions.get(attempt.subscription.id);
  const invoice = tables.invoices.get(attempt.invoiceId);
  if (subscription === undefined || invoice?.subscription_id !== subscription.id) return refused('lost');
  const hindrance = standsAgainst(tables, invoice, subscription, limits);
  if (hindrance !== null) return refused(hindrance);
  const payer = invoice.spaced ? tables.customers.at(subscription.customer_id) : null;
  const spacedUntil = payer === null || payer.caught_up_at === null ? null : payer.caught_up_at + DAY_MS;
  const isSpaced = spacedUntil !== null && spacedUntil > tables.nowMs;
  const row = heldRow(tables, attempt, invoice);
  const key = tables.billingKeys.get(attempt.billingKey.id);
  const isAsRead =
    key !== undefined &&
    row !== null &&
    (row.billing_key_id !== null || key.id === subscription.billing_key_id) &&
    (!isSpaced || row.send_count > 0) &&
    invoice.amount === attempt.amount.minor &&
    invoice.currency === attempt.amount.currency &&
    !isCaptured(tables, invoice) &&
    (quarantinedUntil(tables, attempt, limits) <= tables.nowMs || row.send_count > 0) &&
    (invoice.state === 'open' || invoice.state === 'retrying');
  if (!isAsRead) {
    if (isSpaced) return { kind: 'refused', because: 'spaced', until: new Date(spacedUntil) };
    const until = quarantinedUntil(tables, attempt, limits);
    if (until > tables.nowMs) return { kind: 'refused', because: 'quarantined', until: new Date(until) };
    return refused(isCaptured(tables, invoice) ? 'captured' : 'lost');
  }
  if (payer !== null) tables.customers.put(payer.id, { ...payer, caught_up_at: tables.nowMs });
  return sent(tables, row, { invoice, key, limits });
}

/** Until when a send of another attempt of the invoice, which nothing answered, bars this one. */
function quarantinedUntil({ attempts }: Tables, { id, invoiceId }: LeasedAttempt, limits: IntentLimits): number {
  const others = attempts.where((other) => other.invoice_id === invoiceId && other.id !== id);
  return Math.max(0, ...others.map((other) => (unansweredAt(other) ?? 0) + limits.quarantineSeconds * 1_000));
}

/** Whether a capture of it is known that nobody accounted for yet. */
function isCaptured({ attempts, observations }: Tables, { id }: InvoiceRow): boolean {
  const uids = new Set<string>(
    attempts.where(({ invoice_id }) => invoice_id === id).map(({ merchant_uid }) => merchant_uid),
  );
  const isOpen = ({ status, account_at, merchant_uid }: ObservationRow) =>
    (status === 'paid' || status === 'cancelled') && account_at !== null && uids.has(merchant_uid);
  return observations.where(isOpen).length > 0;
}

/** The attempt's row while the lease under which it was read still holds. */
function heldRow({ attempts, nowMs }: Tables, { id, fence }: LeasedAttempt, invoice: InvoiceRow): AttemptRow | null {
  const row = attempts.get(id);
  const isHeld =
    row?.fence === fence && row.state === 'prepared' && row.lease_until !== null && row.lease_until > nowMs;
  return isHeld && row.invoice_id === invoice.id ? row : null;
}

type Sending = { readonly invoice: InvoiceRow; readonly key: BillingKeyRow; readonly limits: IntentLimits };

function sent(tables: Tables, row: AttemptRow, { invoice, key, limits }: Sending): Intent {
  const { nowMs } = tables;
  const leaseUntil = nowMs + limits.timeoutSeconds * 1_000 + LEASE_MARGIN_MS;
  tables.attempts.put(row.id, {
    ...row,
    state: 'sent',
    send_count: row.send_count + 1,
    sent_at: nowMs,
    unsettled_since: null,
    not_found_count: 0,
    fail_reason: null,
    first_sent_at: row.first_sent_at ?? nowMs,
    lease_until: leaseUntil,
    billing_key_id: row.billing_key_id ?? key.id,
    customer_uid: row.customer_uid ?? key.customer_uid,
    amount: row.amount ?? invoice.amount,
    currency: row.currency ?? invoice.currency,
    tax_free: row.tax_free ?? invoice.tax_free,
    name: row.name ?? invoice.name,
    vat: row.send_count > 0 ? row.vat : invoice.vat,
  });
  tables.invoices.put(invoice.id, { ...invoice, next_at: leaseUntil, last_attempt_at: nowMs });
  return { kind: 'sent', sends: row.send_count + 1 - row.not_sent_count, sentAt: new Date(nowMs) };
}

type Hindrance = Exclude<
  Extract<Intent, { kind: 'refused' }>['because'],
  'spaced' | 'capped' | 'blocked_today' | 'quarantined' | 'billing_key_held'
>;

/** The first thing that stands against any send of this invoice, in the order in which the statement's answer is read. */
function standsAgainst(
  { control }: Tables,
  invoice: InvoiceRow,
  subscription: SubscriptionRow,
  limits: IntentLimits,
): Hindrance | null {
  if (subscription.status === 'canceled') return 'subscription_canceled';
  if (!LIVE.has(subscription.status)) return 'subscription_stopped';
  if (limits.maxAmountMinor !== null && invoice.amount > limits.maxAmountMinor) return 'over_max_amount';
  if (limits.needsAdoption && control.adopted_at === null) return 'not_adopted';
  if (control.fingerprint !== limits.fingerprint) return 'foreign_database';
  if (!control.sending_enabled) return 'switched_off';
  return null;
}

function refused(because: Hindrance): Intent {
  return { kind: 'refused', because };
}

/** Takes back an intent within the same lease: `sent → prepared`. */
export function takeBackIntent(
  tables: Tables,
  attempt: LeasedAttempt,
  leaseSeconds: number,
  reason: string,
): LeasedAttempt | null {
  const row = tables.attempts.get(attempt.id);
  if (row?.fence !== attempt.fence || row.state !== 'sent' || (row.lease_until ?? 0) <= tables.nowMs) return null;
  tables.attempts.put(row.id, {
    ...row,
    state: 'prepared',
    not_sent_count: row.not_sent_count + 1,
    fail_reason: reason,
    lease_until: tables.nowMs + leaseSeconds * 1_000,
  });
  return { ...attempt, notSentCount: attempt.notSentCount + 1 };
}
