import { DECLINE_CLASSES } from '../../../../src/billing/charge.ts';
import type { CardStanding } from '../../../../src/billing/next-try.ts';
import type { DunningPolicy } from '../../../../src/billing/policy.ts';
import { instant, instantOrNull } from '../../../../src/store/instant.ts';
import type { LeasedAttempt } from '../../../../src/store/lease.ts';
import type { AttemptRow, InvoiceRow, ObservationRow } from './rows.ts';
import type { Tables } from './tables.ts';

const COLLECTED: ReadonlySet<string> = new Set(['open', 'retrying']);
const LEASABLE: ReadonlySet<string> = new Set(['prepared', 'unknown']);
const AUDIT_LASTS_MS = 26 * 3_600_000;

/** `store/lease.ts` in memory. */
export function lease(
  tables: Tables,
  ring: { readonly attemptId: string },
  leaseSeconds: number,
): LeasedAttempt | null {
  const { nowMs } = tables;
  const was = tables.attempts.get(ring.attemptId);
  if (was === undefined) return null;
  const invoice = tables.invoices.at(was.invoice_id);
  if (!COLLECTED.has(invoice.state)) return null;
  const isFree = was.lease_until === null || was.lease_until <= nowMs;
  if (was.rung_at === null || !LEASABLE.has(was.state) || !isFree) return null;
  const leased: AttemptRow = {
    ...was,
    fence: was.fence + 1,
    lease_count: was.lease_count + 1,
    rung_at: null,
    lease_until: nowMs + leaseSeconds * 1_000,
  };
  tables.attempts.put(leased.id, leased);
  tables.invoices.put(invoice.id, { ...invoice, next_at: leased.lease_until });
  return asLeased(tables, leased, invoice);
}

function asLeased(tables: Tables, attempt: AttemptRow, invoice: InvoiceRow): LeasedAttempt {
  const { nowMs } = tables;
  const subscription = tables.subscriptions.at(invoice.subscription_id);
  const key = keyOf(tables, attempt.billing_key_id ?? subscription.billing_key_id);
  return {
    id: attempt.id,
    invoiceId: attempt.invoice_id,
    number: attempt.number,
    merchantUid: attempt.merchant_uid,
    state: attempt.state === 'unknown' ? 'unknown' : 'prepared',
    fence: attempt.fence,
    leaseCount: attempt.lease_count,
    sendCount: attempt.send_count,
    notSentCount: attempt.not_sent_count,
    notFoundCount: attempt.not_found_count,
    sentAt: instantOrNull(attempt.sent_at === null ? null : new Date(attempt.sent_at)),
    unsettledSince: instantOrNull(attempt.unsettled_since === null ? null : new Date(attempt.unsettled_since)),
    now: instant(new Date(nowMs)),
    amount: { minor: attempt.amount ?? invoice.amount, currency: attempt.currency ?? invoice.currency },
    taxFreeMinor: attempt.tax_free ?? invoice.tax_free,
    customData: null, // the model's merchant has no hooks
    vatMinor: attempt.send_count > 0 ? attempt.vat : invoice.vat,
    name: attempt.name ?? invoice.name,
    isOrdered: false,
    dueAt: instant(new Date(invoice.due_at)),
    failures: invoice.failures,
    isWrittenOff: false,
    policy: policyOf(tables, invoice),
    periodKey: invoice.period_key,
    subscription: { id: subscription.id, externalId: subscription.external_id, channel: subscription.channel },
    buyer: { name: null, email: null, tel: null },
    billingKey: {
      ...{ id: key.id, customerUid: attempt.customer_uid ?? key.customer_uid },
      ...{ registration: 1, sandbox: key.sandbox },
    },
    cards: cardsOf(tables, invoice),
    cardId: key.id,
    uids: tables.attempts
      .where((other) => other.invoice_id === invoice.id && other.number <= attempt.number)
      .sort((one, other) => one.number - other.number)
      .map((other) => ({
        merchantUid: other.merchant_uid,
        wasSeen: wasSeen(tables, other.merchant_uid),
        isUnanswered: unansweredAt(other) !== null,
        isReturned: tables.observations.where(isReturned(other)).length > 0,
      })),
    seenBefore: seenBefore(tables, attempt),
    audit: auditOf(tables, invoice),
  };
}

/** Whether an audit compared the books of this very database, and nobody let charges go since the invoice was due. */
function auditOf({ control, nowMs, serverStart }: Tables, { due_at }: InvoiceRow): LeasedAttempt['audit'] {
  const { audited_at, audited_in, acknowledged_at } = control;
  const isOutdated = audited_in !== serverStart || audited_at === null || audited_at <= nowMs - AUDIT_LASTS_MS;
  if (isOutdated) return audited_in === null ? 'missing' : 'outdated';
  return acknowledged_at === null || due_at > acknowledged_at ? 'passed' : 'missing';
}

/** `maedal_cards` in memory, where a payer has one card for each subscription and no others. */
export function cardsOf(tables: Tables, invoice: InvoiceRow): CardStanding[] {
  const { billing_key_id: id } = tables.subscriptions.at(invoice.subscription_id);
  const tried = tables.attempts
    .where((row) => row.invoice_id === invoice.id && row.billing_key_id === id && row.send_count > 0)
    .sort((one, other) => one.number - other.number);
  const declined = tried.filter(({ state }) => state === 'declined' || state === 'rejected');
  const last = tried.reduce<number | null>((latest, { sent_at }) => Math.max(latest ?? 0, sent_at ?? 0), null);
  const lastTriedAt = last === null ? null : instant(new Date(last));
  const refusals = declined.filter(({ decline_class }) => decline_class === 'config').length;
  const declines = declined.length - refusals;
  return [{ id, declines, refusals, lastTriedAt, declined: classOf(declined.at(-1)) }];
}

/** `presentCards` of `store/cards.ts` in memory, where no card is given. */
export function presentCards(tables: Tables, id: string): Pick<LeasedAttempt, 'cards' | 'cardId'> {
  const attempt = tables.attempts.at(id);
  return { cards: cardsOf(tables, tables.invoices.at(attempt.invoice_id)), cardId: attempt.billing_key_id };
}

/** The class of a decline that a row keeps; null where it keeps none. */
export function classOf(row: AttemptRow | undefined): CardStanding['declined'] {
  return DECLINE_CLASSES.find((name) => name === row?.decline_class) ?? null;
}

/** `maedal_unanswered_at` in memory. */
export function unansweredAt({ unanswered_at, state, send_count, not_sent_count, sent_at }: AttemptRow): number | null {
  const isOpen = (state === 'review' || state === 'canceled') && send_count > not_sent_count;
  return isOpen ? Math.max(unanswered_at ?? 0, sent_at ?? 0) : unanswered_at;
}

function isReturned({ merchant_uid }: AttemptRow): (row: ObservationRow) => boolean {
  return (row) => row.merchant_uid === merchant_uid && row.accounted_as === 'returned';
}

function seenBefore(tables: Tables, { merchant_uid, first_sent_at }: AttemptRow): string[] {
  const until = first_sent_at ?? tables.nowMs;
  return tables.observations
    .where((seen) => seen.merchant_uid === merchant_uid && seen.first_seen_at <= until)
    .map((seen) => seen.imp_uid)
    .sort();
}

/** Whether the gateway was ever seen to know this id. */
export function wasSeen({ observations }: Tables, merchantUid: string): boolean {
  return observations.where((row) => row.merchant_uid === merchantUid && row.gone_at === null).length > 0;
}

/** The billing key of this row id. */
export function keyOf(tables: Tables, id: string) {
  const key = tables.billingKeys.get(id);
  if (key === undefined) throw new Error(`there is no billing key ${id}`);
  return key;
}

/** The policy version that drives an invoice. */
export function policyOf(tables: Tables, invoice: InvoiceRow): DunningPolicy {
  const policy = tables.policies.get(invoice.policy_version_id);
  if (policy === undefined) throw new Error(`there is no policy version ${invoice.policy_version_id}`);
  return policy;
}
