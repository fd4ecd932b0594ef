import { Prisma } from './prisma/client.ts';

/**
 * Table expressions over the rows staged for an import: `staged` all of them, `fresh` those whose subscription is not
 * there yet, `holding` the keys of each.
 */
export function staged(importId: string): Prisma.Sql {
  return Prisma.sql`
    staged AS MATERIALIZED (
      SELECT line, (fields ->> 'line')::integer AS at, fields ->> 'note' AS note, external_id, fields,
             fields -> 'customer' ->> 'id' AS customer, fields -> 'keys' ->> 0 AS first_uid, fields ->> 'channel' AS channel
        FROM import_row WHERE import_id = ${importId}::uuid
    ), fresh AS MATERIALIZED (
      SELECT * FROM staged WHERE NOT EXISTS (SELECT FROM subscription s WHERE s.external_id = staged.external_id)
    ), holding AS MATERIALIZED (
      SELECT line, key.uid, place FROM staged, jsonb_array_elements_text(fields -> 'keys') WITH ORDINALITY AS key (uid, place)
    )`;
}

/**
 * The same with `conflict`: each contradiction among the staged rows, and between them and the database, as
 * (line, at, note, reason).
 */
export function conflicts(importId: string): Prisma.Sql {
  return Prisma.sql`${staged(importId)}, ${CLAIMS},
    conflict AS MATERIALIZED (
      SELECT line, at, note, ${REPEATED} AS reason
        FROM (SELECT *, lag(at) OVER same AS first_at, lag(note) OVER same AS first_note
                FROM staged WINDOW same AS (PARTITION BY external_id ORDER BY line)) AS row
       WHERE first_at IS NOT NULL
      UNION ALL
      SELECT line, at, note, ${CHANGED} FROM staged JOIN subscription s USING (external_id)
       WHERE s.imported IS DISTINCT FROM fields -> 'imported'
      UNION ALL
      SELECT line, at, note, ${CONTRADICTED}
        FROM (SELECT *, first_value(value) OVER same AS first_value, first_value(at) OVER same AS first_at,
                     first_value(note) OVER same AS first_note
                FROM claim WINDOW same AS (PARTITION BY subject, id, what ORDER BY line)) AS told
       WHERE value <> first_value
      UNION ALL
      SELECT line, at, note, ${STORED_OTHERWISE}
        FROM claim JOIN fresh USING (line, at, note) JOIN stored USING (subject, id, what) WHERE value <> stored_value
      UNION ALL
      SELECT line, at, note, format('customer_uid ''%s'' was removed; use a new one', k.customer_uid)
        FROM fresh JOIN holding USING (line) JOIN billing_key k ON k.customer_uid = holding.uid WHERE k.state = 'removed'
    )`;
}

/** What rows say about customers and keys, and what the database says about the same ones. */
const CLAIMS = Prisma.sql`
    claim AS MATERIALIZED (
      SELECT line, at, note, 'customer_uid' AS subject, holding.uid AS id, said.what, said.value
        FROM staged JOIN holding USING (line), LATERAL (VALUES ('customer_id', customer), ('channel', channel)) AS said (what, value)
      UNION ALL
      SELECT line, at, note, 'customer_uid', first_uid, 'test_card', fields ->> 'testCard'
        FROM staged WHERE fields ->> 'testCard' IS NOT NULL
      UNION ALL
      SELECT line, at, note, 'customer_id', customer, said.what, said.value
        FROM staged, LATERAL (VALUES ('buyer_name', fields -> 'customer' ->> 'name'),
               ('buyer_email', fields -> 'customer' ->> 'email'), ('buyer_tel', fields -> 'customer' ->> 'tel')) AS said (what, value)
       WHERE said.value IS NOT NULL
    ), stored AS (
      SELECT 'customer_uid' AS subject, customer_uid AS id, said.what, said.value AS stored_value
        FROM billing_key k JOIN customer c ON c.id = k.customer_id,
             LATERAL (VALUES ('customer_id', c.external_id), ('channel', k.channel)) AS said (what, value)
      UNION ALL
      SELECT 'customer_id', external_id, said.what, said.value
        FROM customer, LATERAL (VALUES ('buyer_name', name), ('buyer_email', email), ('buyer_tel', tel)) AS said (what, value)
    )`;

const REPEATED = Prisma.sql`format('subscription_id ''%s'' is on line %s%s already', external_id, first_at, first_note)`;

const CONTRADICTED = Prisma.sql`
  format('%s ''%s'' has %s ''%s'' here, but ''%s'' on line %s%s', subject, id, what, value, first_value, first_at, first_note)`;

const STORED_OTHERWISE = Prisma.sql`
  format('%s ''%s'' has %s ''%s'' here, but ''%s'' in the database', subject, id, what, value, stored_value)`;

/** Names the columns that differ: an import adds, it never changes what is there. */
const CHANGED = Prisma.sql`
  format('subscription_id ''%s'' is in the database already, %s', external_id,
    CASE WHEN s.imported IS NULL THEN 'and came from no file' ELSE 'with ' || (
      SELECT string_agg(format('%s %s there and %s here', name,
                        coalesce('''' || (s.imported ->> name) || '''', 'blank'),
                        coalesce('''' || (fields -> 'imported' ->> name) || '''', 'blank')), ', ' ORDER BY name)
        FROM (SELECT jsonb_object_keys(s.imported) UNION SELECT jsonb_object_keys(fields -> 'imported')) AS known (name)
       WHERE s.imported ->> name IS DISTINCT FROM fields -> 'imported' ->> name) END)`;
