import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Books } from '../books.ts';
import type { World } from '../world.ts';

type Line = { readonly atMs: number; readonly text: string };

/** Everything that is known of one subscription and period, in the order in which it happened by the host's clock. */
export async function timelineOf(world: World, books: Books, key: string): Promise<string[]> {
  const [subscription = '', period = ''] = key.split(' ');
  const rows = await world.postgres.query<Row>(ROWS, [subscription, period]);
  const lines: Line[] = rows.map(({ at_ms, what, who, ids }) => ({
    atMs: at_ms,
    text: `database  ${what} (${who}, ${ids})`,
  }));
  let atMs = 0;
  for (const entry of books.lines.get(key) ?? []) {
    if ('hostMs' in entry) atMs = entry.hostMs;
    lines.push({ atMs, text: `gateway   ${JSON.stringify(entry)}` });
  }
  const ids = new Set([...rows.map((row) => row.ids), ...(books.posts.get(key) ?? []).map((post) => post.merchantUid)]);
  for (const line of await logLines(join(world.directory, 'logs'), ids)) lines.push(line);
  return lines
    .sort((one, other) => one.atMs - other.atMs)
    .map(({ atMs: ms, text }) => `${new Date(ms).toISOString().slice(11, 23)} ${text}`);
}

async function logLines(directory: string, ids: ReadonlySet<string>): Promise<Line[]> {
  const found: Line[] = [];
  for (const file of await readdir(directory)) {
    for (const text of (await readFile(join(directory, file), 'utf8')).split('\n')) {
      if (![...ids].some((id) => text.includes(id))) continue;
      const atMs = Number(/"time":(\d+)/.exec(text)?.[1] ?? 0);
      found.push({ atMs, text: `${file.replace('.log', '').padEnd(9)} ${text}` });
    }
  }
  return found;
}

type Row = { at_ms: number; what: string; who: string; ids: string };

const ROWS = `
  WITH i AS (SELECT i.id FROM invoice i JOIN subscription s ON s.id = i.subscription_id WHERE s.external_id = $1 AND i.period_key = $2)
  SELECT extract(epoch FROM pg_xact_commit_timestamp(h.xmin))::float8 * 1000 AS at_ms, h.who,
         h.entity || ' ' || coalesce(h.from_state, '') || ' -> ' || h.to_state || coalesce(' f' || h.fence, '') || coalesce(': ' || h.reason, '')
           || ' at ' || h.at AS what,
         coalesce((SELECT merchant_uid FROM attempt WHERE id = h.entity_id), h.entity_id::text) AS ids
    FROM history h WHERE h.entity_id IN (SELECT id FROM i UNION ALL SELECT a.id FROM attempt a JOIN i ON i.id = a.invoice_id)
  UNION ALL
  SELECT extract(epoch FROM pg_xact_commit_timestamp(o.xmin))::float8 * 1000, 'observation last written',
         o.learnt_by || ' ' || o.status || ' first seen ' || o.first_seen_at || coalesce(' as ' || o.accounted_as, ''), o.imp_uid
    FROM observation o JOIN attempt a USING (merchant_uid) JOIN i ON i.id = a.invoice_id
  UNION ALL
  SELECT extract(epoch FROM pg_xact_commit_timestamp(o.xmin))::float8 * 1000, 'outbox', o.kind, o.event_id::text
    FROM outbox o JOIN i ON i.id = o.invoice_id`;
