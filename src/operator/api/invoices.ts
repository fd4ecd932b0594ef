import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Db } from '../../store/db.ts';
import { findInvoice, type InvoiceView, listInvoices } from '../../store/views.ts';
import { isoInstant, isoInstantOrNull } from '../instant.ts';
import { sendProblem } from '../problem.ts';
import { IdText, listAnswer, parseQuery, SLICE, wordList } from './list-query.ts';

/** `/v1/invoices`: newest first, each with its attempts. */
export function invoiceRoutes(app: FastifyInstance, db: Db): void {
  app.get('/v1/invoices', { config: { access: 'token' } }, async (request) => {
    const query = parseQuery(Query, request.query);
    const filter = {
      states: query.status,
      subscriptionId: query.subscription_id,
      customerId: query.customer_id,
      period: query.period,
      periodFrom: query.period_from,
      periodTo: query.period_to,
    };
    return listAnswer(await listInvoices(db, filter, { limit: query.limit, after: query.cursor ?? null }), invoiceJson);
  });
  app.get('/v1/invoices/:id', { config: { access: 'token' } }, async (request, reply) => {
    const params = Params.safeParse(request.params);
    const invoice = params.success ? await findInvoice(db, params.data.id) : null;
    return invoice === null ? sendProblem(reply, 404, 'there is no such invoice') : invoiceJson(invoice);
  });
}

/** An invoice as every face shows it; `status` is the row's state, ids are the merchant's own where one exists. */
function invoiceJson(invoice: InvoiceView) {
  return {
    id: invoice.id,
    subscription_id: invoice.subscriptionId,
    period: invoice.periodKey,
    period_start: isoInstant(invoice.periodStart),
    period_end: isoInstant(invoice.periodEnd),
    amount: invoice.amount,
    currency: invoice.currency,
    status: invoice.state,
    reason: invoice.reason,
    next_at: isoInstantOrNull(invoice.nextAt),
    attempts: invoice.attempts.map((attempt) => ({
      number: attempt.number,
      merchant_uid: attempt.merchantUid,
      state: attempt.state,
      imp_uid: attempt.impUid,
      decline_class: attempt.declineClass,
      fail_reason: attempt.failReason,
      sent_at: isoInstantOrNull(attempt.sentAt),
      answered_at: isoInstantOrNull(attempt.answeredAt),
    })),
  };
}

const Params = z.object({ id: z.uuid() });
const PeriodKey = z.iso.date('write the local start date of the period, such as 2027-01-31');
const Filters = z.strictObject({
  ...SLICE,
  status: wordList([
    'open',
    'retrying',
    'held',
    'review',
    'paid',
    'refunded',
    'waived',
    'void',
    'uncollectible',
  ]).optional(),
  subscription_id: IdText.optional(),
  customer_id: IdText.optional(),
  period: PeriodKey.optional(),
  period_from: PeriodKey.optional(),
  period_to: PeriodKey.optional(),
});
const Query = Filters.refine(
  ({ period_from: from, period_to: to }) => from === undefined || to === undefined || from <= to,
  {
    path: ['period_from'],
    error: 'it is after period_to',
  },
);
