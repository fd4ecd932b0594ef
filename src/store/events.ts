import type { Db } from './db.ts';
import { all, createdUs, type Page, type Place, page, placeIn, type Slice } from './page.ts';
import { Prisma } from './prisma/client.ts';

/** An event that was taken up, as it is delivered, and what became of it at each listener. */
export type EventView = {
  readonly eventId: string;
  readonly kind: string;
  readonly happenedAt: Date;
  /** Its number within its subscription; null where it is of none. */
  readonly sequence: number | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly deliveries: readonly DeliveryView[];
};

type DeliveryView = {
  readonly endpoint: string;
  readonly tries: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly deliveredAt: Date | null;
  /** Null once it was delivered, or given up. */
  readonly nextAt: Date | null;
};

/** All conditions must hold; an absent one holds for every event. */
export type EventFilter = {
  readonly ids?: readonly string[] | undefined;
  readonly kinds?: readonly string[] | undefined;
  /** The merchant's own id. */
  readonly subscriptionId?: string | undefined;
  /** From this instant on, by when it happened. */
  readonly from?: Date | undefined;
  /** Before this one. */
  readonly until?: Date | undefined;
};

/** Events, newest first. One that is not taken up yet has no number, and is left out. */
export async function listEvents(db: Db, filter: EventFilter, slice: Slice): Promise<Page<EventView>> {
  const after = slice.after && Prisma.sql`(o.created_at, o.id) < ${placeIn(slice.after, 'bigint')}`;
  const rows = await db.$queryRaw<(Omit<EventView, 'deliveries'> & Place)[]>`
    SELECT o.id::text AS id, ${createdUs(Prisma.sql`o.created_at`)}, o.event_id::text AS "eventId", o.kind, o.created_at AS "happenedAt",
           o.sequence::float8 AS sequence, o.payload
      FROM outbox o WHERE ${all([toldLike(filter), after])} ORDER BY o.created_at DESC, o.id DESC LIMIT ${slice.limit + 1}`;
  const { rows: kept, next } = page(rows, slice.limit);
  return { rows: await withDeliveries(db, kept), next };
}

/** An event by its id (a UUID). */
export async function findEvent(db: Db, id: string): Promise<EventView | null> {
  const { rows } = await listEvents(db, { ids: [id] }, { limit: 1, after: null });
  return rows[0] ?? null;
}

/** Which rows `o` of `outbox` are meant, among those that were taken up. */
export function toldLike({ ids, kinds, subscriptionId, from, until }: EventFilter): Prisma.Sql {
  return all([
    Prisma.sql`o.relayed_at IS NOT NULL`,
    ids && Prisma.sql`o.event_id = ANY(${ids}::uuid[])`,
    kinds && Prisma.sql`o.kind = ANY(${kinds})`,
    // That it is numbered follows, and lets the index be used.
    subscriptionId !== undefined &&
      Prisma.sql`o.sequence IS NOT NULL AND o.subscription_id = (SELECT id FROM subscription WHERE external_id = ${subscriptionId})`,
    from && Prisma.sql`o.created_at >= ${from}::timestamptz`,
    until && Prisma.sql`o.created_at < ${until}::timestamptz`,
  ]);
}

async function withDeliveries<Row extends Place>(
  db: Db,
  events: readonly Row[],
): Promise<(Row & Pick<EventView, 'deliveries'>)[]> {
  if (events.length === 0) return [];
  const deliveries = await db.$queryRaw<(DeliveryView & { outboxId: string })[]>`
    SELECT outbox_id::text AS "outboxId", endpoint, tries, last_status AS status, last_error AS error,
           delivered_at AS "deliveredAt", next_at AS "nextAt"
      FROM delivery WHERE outbox_id = ANY(${events.map(({ id }) => id)}::bigint[]) ORDER BY outbox_id, endpoint`;
  const byEvent = new Map<string, DeliveryView[]>(events.map(({ id }) => [id, []]));
  for (const { outboxId, ...delivery } of deliveries) byEvent.get(outboxId)?.push(delivery);
  return events.map((event) => ({ ...event, deliveries: byEvent.get(event.id) ?? [] }));
}
