import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Answer } from '../../store/idempotency.ts';
import type { SaidOnce } from '../../store/subscription-orders.ts';
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
 * then; 409 says why it cannot be. Given twice, each but `skip` and `change-card` is done once; with an
 * `Idempotency-Key` so are those.
 */
export function subscriptionOrderRoutes(app: FastifyInstance, deps: OrderDeps): void {
  const order = orders(app, deps);
  order('cancel', Cancel, (id, { at }, said) => orderSubscription(deps, id, { kind: 'cancel', at }, said));
  order('resume', Resume, (id, { anchor }, said) => orderSubscription(deps, id, { kind: 'resume', anchor }, said));
  for (const kind of ['pause', 'skip'] as const)
    order(kind, Plain, (id, _, said) => orderSubscription(deps, id, { kind }, said));
  order('change-card', Card, (id, { customer_uid: customerUid, registered }, said) =>
    orderCardChange(deps, id, { customerUid, registered }, said),
  );
}

/** Adds the routes of orders, one by one. */
export function orders(app: FastifyInstance, deps: OrderDeps) {
  return <Schema extends z.ZodType<{ readonly reason: string }>>(
    name: string,
    schema: Schema,
    work: (id: string, body: z.output<Schema>, said: SaidOnce) => Promise<Ordered>,
  ) =>
    app.post(`/v1/subscriptions/:id/${name}`, { config: { access: 'token' } }, async (request, reply) => {
      const params = Params.safeParse(request.params);
      if (!params.success) return sendProblem(reply, 404, MISSING);
      const { id } = params.data;
      const body = parseBody(schema, request.body);
      const { reason } = body;
      return idempotent(deps.db, request, reply, async (under) =>
        answerTo(deps, id, await work(id, body, { actor: 'api', reason, under })),
      );
    });
}

async function answerTo({ db }: OrderDeps, id: string, ordered: Ordered): Promise<Answer> {
  if (ordered.kind === 'refused') return { status: 409, body: ordered.because };
  const subscription = ordered.kind === 'missing' ? null : await findSubscription(db, id);
  return subscription === null ? { status: 404, body: MISSING } : { status: 200, body: subscriptionJson(subscription) };
}

const MISSING = 'there is no such subscription';
const Params = z.object({ id: IdText });
const Plain = z.strictObject(REASON);
const Cancel = z.strictObject({ at: z.enum(['now', 'period_end']).default('now'), ...REASON });
const Resume = z.strictObject({ anchor: z.enum(['keep', 'new']).default('keep'), ...REASON });
const Card = z.strictObject({ customer_uid: IdText.max(80), registered: z.boolean().optional(), ...REASON });
