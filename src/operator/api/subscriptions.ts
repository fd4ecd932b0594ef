import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Db } from '../../store/db.ts';
import { findSubscription, listSubscriptions, type SubscriptionView } from '../../store/views.ts';
import { isoInstant, isoInstantOrNull } from '../instant.ts';
import { sendProblem } from '../problem.ts';
import { IdText, listAnswer, parseQuery, SLICE, wordList } from './list-query.ts';

/** `/v1/subscriptions`: newest first; one by the merchant's own id. */
export function subscriptionRoutes(app: FastifyInstance, db: Db): void {
  app.get('/v1/subscriptions', { config: { access: 'token' } }, async (request) => {
    const query = parseQuery(Query, request.query);
    const filter = { statuses: query.status, customerId: query.customer_id };
    const slice = { limit: query.limit, after: query.cursor ?? null };
    return listAnswer(await listSubscriptions(db, filter, slice), subscriptionJson);
  });
  app.get('/v1/subscriptions/:id', { config: { access: 'token' } }, async (request, reply) => {
    const params = Params.safeParse(request.params);
    const subscription = params.success ? await findSubscription(db, params.data.id) : null;
    return subscription === null
      ? sendProblem(reply, 404, 'there is no such subscription')
      : subscriptionJson(subscription);
  });
}

/** A subscription as the API answers it. */
export function subscriptionJson(subscription: SubscriptionView) {
  return {
    id: subscription.externalId,
    customer_id: subscription.customerId,
    plan: subscription.plan,
    name: subscription.name,
    amount: subscription.amount,
    currency: subscription.currency,
    interval: subscription.interval,
    interval_count: subscription.intervalCount,
    anchor_local: subscription.anchorLocal,
    timezone: subscription.timezone,
    status: subscription.status,
    access: subscription.access,
    next_due_at: isoInstantOrNull(subscription.nextDueAt),
    trial_until: isoInstantOrNull(subscription.trialUntil),
    ends_after: subscription.endsAfter,
    cancel_at_period_end: subscription.cancelsAtPeriodEnd,
    canceled_at: isoInstantOrNull(subscription.canceledAt),
    paused_at: isoInstantOrNull(subscription.pausedAt),
    customer_uid: subscription.customerUid,
    channel: subscription.channel,
    created_at: isoInstant(subscription.createdAt),
  };
}

const Params = z.object({ id: IdText });
const Query = z.strictObject({
  ...SLICE,
  status: wordList(['trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled']).optional(),
  customer_id: IdText.optional(),
});
