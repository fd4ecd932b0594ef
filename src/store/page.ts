import { Prisma } from './prisma/client.ts';

/** A place in a list: the last row seen. `createdUs` in µs since 1970, because a page must not lose the fraction. */
export type Place = { readonly createdUs: string; readonly id: string };
export type Page<Row> = { readonly rows: readonly Row[]; readonly next: Place | null };
/** Which part of a list: at most `limit` rows, those after `after`. */
export type Slice = { readonly limit: number; readonly after: Place | null };

/** A page of the rows that were read, one more than fit. */
export function page<Row extends Place>(rows: readonly Row[], limit: number): Page<Row> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { rows: kept, next: more ? { createdUs: last.createdUs, id: last.id } : null };
}

/** All conditions that are there. */
export function all(conditions: readonly (Prisma.Sql | null | undefined | false)[]): Prisma.Sql {
  const present = conditions.filter((condition) => condition instanceof Prisma.Sql);
  return present.length === 0 ? Prisma.sql`true` : Prisma.join(present, ' AND ');
}

/** A place as rows are compared with it, by `created_at` and an id of that type. */
export function placeIn({ createdUs, id }: Place, type: 'uuid' | 'bigint'): Prisma.Sql {
  const place = type === 'uuid' ? Prisma.sql`${id}::uuid` : Prisma.sql`${id}::bigint`;
  return Prisma.sql`(timestamptz 'epoch' + ${createdUs}::bigint * interval '1 microsecond', ${place})`;
}

/** The part of a place that a column `created_at` makes. */
export function createdUs(createdAt: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(extract(epoch FROM ${createdAt}) * 1000000)::bigint::text AS "createdUs"`;
}
