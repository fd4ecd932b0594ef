import type { Payment } from './books.ts';
import type { Oracle } from './oracle.ts';
import type { Plan } from './plan.ts';
import { ALIVE } from './store/protections.ts';
import type { InvoiceRow } from './store/rows.ts';
import type { Tables } from './store/tables.ts';

const FORGOTTEN = /(was it restored\?|another card paid)$/;
const KEPT_FOR_A_PERSON = /^(sent \d+ times|\d+ workers took|.*; so for a day$)/;
const GIVEN_BACK = /cancelled at the gateway|was paid and given back|captured (while its invoice waits|beside another)/;

/** Judges a world at rest (I2, I3, I4): every period captured once or left for a reason, and no capture without an owner. */
export function judge(plan: Plan, tables: Tables, oracle: Oracle): void {
  const seen = new Set<string>();
  for (const invoice of tables.invoices.all()) {
    const owner = `${tables.subscriptions.at(invoice.subscription_id).external_id} ${invoice.period_key}`;
    seen.add(owner);
    judgeInvoice(plan, tables, oracle, { invoice, owner });
  }
  judgeLife(tables, oracle);
  for (const owner of oracle.owners)
    if (!seen.has(owner) && !plan.faults.has('restore')) oracle.tell('I3', `${owner} was captured and has no invoice`);
  for (const subscription of tables.subscriptions.all()) {
    const isDrawn = subscription.next_period >= plan.periods;
    const isLive = ['trialing', 'active', 'past_due'].includes(subscription.status);
    if (isLive && !isDrawn) oracle.tell('I4', `${subscription.external_id} was not drawn up`);
  }
}

/** A restored database may have forgotten which attempts it made, and which card it charged. */
function isForPerson({ faults }: Plan, { reason }: InvoiceRow, captures: readonly Payment[]): boolean {
  const forgot = faults.has('restore') && FORGOTTEN.test(reason ?? '');
  const isReturned = captures.some(isGivenBack) && GIVEN_BACK.test(reason ?? '');
  return forgot || isReturned || KEPT_FOR_A_PERSON.test(reason ?? '');
}

/** K2, whatever refused it: of one invoice's attempts one is alive. */
function judgeLife({ invoices, attempts }: Tables, oracle: Oracle): void {
  for (const { id } of invoices.all()) {
    const alive = attempts.where((attempt) => attempt.invoice_id === id && ALIVE.has(attempt.state));
    if (alive.length > 1) oracle.tell('K2', `${alive.map(({ number, state }) => `${number} ${state}`).join(' and ')}`);
  }
}

type Judged = { readonly invoice: InvoiceRow; readonly owner: string };

function judgeInvoice(plan: Plan, tables: Tables, oracle: Oracle, { invoice, owner }: Judged): void {
  const captures = oracle.capturesOf(owner);
  const kept = captures.filter(
    (payment) =>
      !isGivenBack(payment) && !isPutUpForRefund(tables, payment.impUid) && !isForgotten(plan, tables, payment),
  );
  const says = `${owner} is ${invoice.state} (${invoice.reason}) with ${captures.length} captures, ${kept.length} kept`;
  switch (invoice.state) {
    case 'paid':
      if (captures.some((payment) => isGivenBack(payment) && isCounted(tables, invoice, payment)))
        oracle.tell('I3', `${says}, by one that was given back, and nobody is told`);
      else if (kept.length !== 1) oracle.tell('I3', says);
      else if (!isPaidByAttempt(tables, invoice)) oracle.tell('I3', `${says}, and none of its attempts is paid`);
      return;
    case 'open':
    case 'retrying':
      oracle.tell('I4', says);
      return;
    case 'review':
      if (captures.length > 1 && !isAlarmed(tables, invoice)) oracle.tell('I3', `${says}, and no alarm`);
      if (plan.assumed !== 'none' && !isForPerson(plan, invoice, captures)) oracle.tell('I2', says);
      return;
    default:
      if (kept.length > 0) oracle.tell('I3', says);
      if (!isLegitimate(plan, invoice)) oracle.tell('I2', says);
  }
}

/** In full, in the gateway's own console. */
function isGivenBack({ status }: Payment): boolean {
  return status === 'cancelled';
}

function isPaidByAttempt({ attempts }: Tables, { id }: InvoiceRow): boolean {
  return attempts.where(({ invoice_id, state }) => invoice_id === id && state === 'paid').length > 0;
}

function isCounted({ attempts }: Tables, { id }: InvoiceRow, { impUid }: Payment): boolean {
  return attempts.where((row) => row.invoice_id === id && row.state === 'paid' && row.imp_uid === impUid).length > 0;
}

function isPutUpForRefund({ refunds }: Tables, impUid: string): boolean {
  return refunds.where((refund) => refund.imp_uid === impUid && refund.state !== 'failed').length > 0;
}

function isAlarmed({ outbox }: Tables, { id }: InvoiceRow): boolean {
  return outbox.some(({ invoice_id, kind }) => invoice_id === id && /needs_review|doubled/.test(kind));
}

/** Charged under an id that the restored database has no attempt for: the audit's to find, not the sweep's. */
function isForgotten({ faults }: Plan, { attempts }: Tables, { request }: Payment): boolean {
  const isKnown = attempts.where(({ merchant_uid }) => merchant_uid === request.merchantUid).length > 0;
  return faults.has('restore') && !isKnown;
}

/** Why a period may end without money. */
function isLegitimate({ faults }: Plan, { reason }: InvoiceRow): boolean {
  const isDeclined = DECLINING.some((fault) => faults.has(fault));
  if (reason === 'subscription_canceled') return faults.has('operator');
  if (reason === 'subscription_stopped') return faults.has('operator') || isDeclined;
  return reason === 'catch_up' || (reason === 'retries_exhausted' && isDeclined);
}

/** Faults that lead to a decline. */
const DECLINING = ['decline', 'refused', 'flip', 'pending', 'late_capture', 'lost_answer'] as const;
