import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Said } from '../../store/control.ts';
import type { Answer } from '../../store/idempotency.ts';
import { findSubscription } from '../../store/views.ts';
import { orderCardChange } from '../change-card.ts';
import { type OrderDeps, type Ordered, orderSubscription } from '../order-subscription.ts';
import { sendProblem } from '../problem.ts';
import { parseBody, REASON } from './body.ts';
import { idempotent } from './idempotent.ts';
import { IdText } from './list-query.ts';
import { subscriptionJson } from './subscriptions.ts';

/**
 * `POST /v1/subscriptions/:id/…`: cancel, pause, resume, skip, change-card. Each answers the subscription as it stands
 * then; 409 says why it cannot be. Given twice, each but `skip` is done once; with an `Idempotency-Key` so is that.
 */
export function subscriptionOrderRoutes(app: FastifyInstance, deps: OrderDeps): void {
  const order = orders(app, deps);
  order('cancel', Cancel, (id, { at, reason }) => orderSubscription(deps, id, { kind: 'cancel', at }, said(reason)));
  order('resume', Resume, (id, { anchor, reason }) =>
    orderSubscription(deps, id, { kind: 'resume', anchor }, said(reason)),
  );
  for (const kind of ['pause', 'skip'] as const)
    order(kind, Plain, (id, { reason }) => orderSubscription(deps, id, { kind }, said(reason)));
  order('change-card', Card, (id, { customer_uid, reason }) => orderCardChange(deps, id, customer_uid, said(reason)));
}

/** Adds the routes of orders, one by one. */
export function orders(app: FastifyInstance, deps: OrderDeps) {
  return <Schema extends z.ZodType>(
    name: string,
    schema: Schema,
    work: (id: string, body: z.output<Schema>) => Promise<Ordered>,
  ) =>
    app.post(`/v1/subscriptions/:id/${name}`, { config: { access: 'token' } }, async (request, reply) => {
      const params = Params.safeParse(request.params);
      if (!params.success) return sendProblem(reply, 404, MISSING);
      const { id } = params.data;
      const body = parseBody(schema, request.body);
      return idempotent(deps.db, request, reply, async () => answerTo(deps, id, await work(id, body)));
    });
}

async function answerTo({ db }: OrderDeps, id: string, ordered: Ordered): Promise<Answer> {
  if (ordered.kind === 'refused') return { status: 409, body: ordered.because };
  const subscription = ordered.kind === 'missing' ? null : await findSubscription(db, id);
  return subscription === null ? { status: 404, body: MISSING } : { status: 200, body: subscriptionJson(subscription) };
}

/** An order of the API's, for the audit. */
export function said(reason: string): Said {
  return { actor: 'api', reason };
}

const MISSING = 'there is no such subscription';
const Params = z.object({ id: IdText });
const Plain = z.strictObject(REASON);
const Cancel = z.strictObject({ at: z.enum(['now', 'period_end']).default('now'), ...REASON });
const Resume = z.strictObject({ anchor: z.enum(['keep', 'new']).default('keep'), ...REASON });
const Card = z.strictObject({ customer_uid: IdText.max(80), ...REASON });
