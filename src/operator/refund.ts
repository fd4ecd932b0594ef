import { assertNever, FenceError, InputError } from '../billing/errors.ts';
import type { InvoiceId } from '../billing/ids.ts';
import { orderRefund, type RefundWanted } from '../billing/refund-order.ts';
import type { Db } from '../store/db.ts';
import { type OrderVerdict, orderRefunds, readRefundables } from '../store/refund-orders.ts';

/** What a person says: what is wanted, why, and who it is. */
export type RefundRequest = RefundWanted & { readonly reason: string; readonly actor: string };

type Deps = { readonly db: Db; readonly fingerprint: string; readonly needsAdoption: boolean };

/**
 * Has an invoice refunded: approves what was put up for refund, or else begins a refund of the payment that settled it.
 * Nothing is sent here; the refunds named in the answer are due, and any worker takes them. Throws InputError for what
 * cannot be refunded, FenceError where a fence stands.
 */
export async function refundInvoice(deps: Deps, invoiceId: InvoiceId, request: RefundRequest) {
  const reason = request.reason.trim();
  if (reason === '' || reason.length > LONGEST_REASON) {
    throw new InputError(
      '--reason is empty or too long',
      `write up to ${LONGEST_REASON} characters; the gateway keeps it`,
    );
  }
  const found = await readRefundables(deps.db, invoiceId);
  if (found === null) {
    throw new InputError(`there is no invoice '${invoiceId}'`, 'copy its id from /v1/invoices or the console');
  }
  const order = orderRefund(found.invoice, found.payments, request);
  const { fingerprint, needsAdoption } = deps;
  const wish = { invoiceId, order, actor: request.actor, reason, needsAdoption, fingerprint };
  return ordered(await orderRefunds(deps.db, wish));
}

function ordered(verdict: OrderVerdict): readonly string[] {
  switch (verdict.kind) {
    case 'ordered':
      return verdict.refundIds;
    case 'overtaken':
      throw new InputError('somebody else was quicker', 'see `maedal explain` for how it stands, then say it again');
    case 'fenced':
      throw fence(verdict);
    default:
      return assertNever(verdict);
  }
}

function fence({ because, reason }: Extract<OrderVerdict, { kind: 'fenced' }>): FenceError {
  switch (because) {
    case 'foreign_database':
      return new FenceError(
        'this database belongs to another installation or to another key of the gateway',
        'nothing is refunded from here; if it is yours now, `maedal adopt --reason` says so',
      );
    case 'switched_off':
      return new FenceError(
        `sending is switched off (${reason ?? 'no reason given'})`,
        'find out why, then `maedal send on --reason` and say it again',
      );
    case 'not_adopted':
      return new FenceError('this database was not adopted for live charges', 'see `maedal adopt --reason`');
    default:
      return assertNever(because);
  }
}

const LONGEST_REASON = 200;
