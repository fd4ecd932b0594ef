import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type EventView, findEvent, listEvents } from '../../store/events.ts';
import { isoInstantOrNull } from '../instant.ts';
import { sendProblem } from '../problem.ts';
import { type ReplayDeps, replayEvents } from '../replay-events.ts';
import { parseBody } from './body.ts';
import { idempotent } from './idempotent.ts';
import { IdText, listAnswer, parseQuery, sliceOf } from './list-query.ts';

/** `/v1/events`: newest first, each with its deliveries; and `POST /v1/events/replay`, which has some go again. */
export function eventRoutes(app: FastifyInstance, deps: ReplayDeps): void {
  app.get('/v1/events', { config: { access: 'token' } }, async (request) => {
    const { limit, cursor, type, subscription_id: subscriptionId, from, until } = parseQuery(Query, request.query);
    const filter = { kinds: type, subscriptionId, from, until };
    return listAnswer(await listEvents(deps.db, filter, { limit, after: cursor ?? null }), eventJson);
  });
  app.get('/v1/events/:id', { config: { access: 'token' } }, async (request, reply) => {
    const params = Params.safeParse(request.params);
    const event = params.success ? await findEvent(deps.db, params.data.id) : null;
    return event === null ? sendProblem(reply, 404, 'there is no such event') : eventJson(event);
  });
  app.post('/v1/events/replay', { config: { access: 'token' } }, async (request, reply) => {
    const { types, subscription_id, dry_run, ...named } = parseBody(Order, request.body);
    const order = { ...named, kinds: types, subscriptionId: subscription_id, dryRun: dry_run };
    return idempotent(deps.db, request, reply, async () => ({
      status: 200,
      body: await replayEvents(deps, order, 'api'),
    }));
  });
}

/** As it is delivered, and what became of it. */
function eventJson({ eventId, kind, happenedAt, sequence, payload, deliveries }: EventView) {
  return {
    id: eventId,
    type: kind,
    timestamp: happenedAt.toISOString(),
    sequence,
    data: payload,
    deliveries: deliveries.map(({ endpoint, tries, status, error, deliveredAt, nextAt }) => ({
      endpoint,
      tries,
      status,
      error,
      delivered_at: isoInstantOrNull(deliveredAt),
      next_at: isoInstantOrNull(nextAt),
    })),
  };
}

const Instant = z.iso
  .datetime({ offset: true, error: 'write an instant with its offset, such as 2027-01-31T10:00:00+09:00' })
  .transform((text) => new Date(text));
const Kind = z.string().regex(/^[a-z_]+\.[a-z_]+$/, 'write kinds of events, such as charge.succeeded');
const Params = z.object({ id: z.uuid() });
const Query = z.strictObject({
  ...sliceOf(/^\d{1,18}$/),
  type: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(Kind))
    .optional(),
  subscription_id: IdText.optional(),
  from: Instant.optional(),
  until: Instant.optional(),
});
const Order = z.strictObject({
  ids: z.array(z.uuid()).min(1).max(1_000).optional(),
  from: Instant.optional(),
  until: Instant.optional(),
  types: z.array(Kind).min(1).max(100).optional(),
  subscription_id: IdText.optional(),
  endpoint: z.string().min(1).max(100).optional(),
  undelivered: z.boolean().default(false),
  dry_run: z.boolean().default(false),
});
