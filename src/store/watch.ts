import type { DateTime } from 'luxon';
import type { InvoiceId } from '../billing/ids.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';

/** An invoice that ended, and of which something may still land. Instants by the database's clock. */
export type Watched = {
  readonly invoiceId: InvoiceId;
  /** Every id that was ever sent for it, whether the gateway showed a payment of it before, and one that went lately. */
  readonly sent: readonly { readonly merchantUid: string; readonly seen: boolean; readonly gone: boolean }[];
  readonly lastSentAt: DateTime | null;
  /** What the claim set; whoever changed it since knows more. */
  readonly watchAt: DateTime;
  readonly now: DateTime;
};

/**
 * Takes up to `limit` invoices whose watch is due, and puts it some minutes ahead: a crash before they are looked up
 * costs that time and nothing else. The longest due first.
 */
export async function claimWatched(db: Db, limit: number): Promise<Watched[]> {
  const rows = await db.$queryRaw<Row[]>`
    WITH due AS MATERIALIZED (
      SELECT id FROM invoice WHERE watch_at <= maedal_now()
       ORDER BY watch_at, id LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
    ), claimed AS (
      -- In whole milliseconds: the driver knows no finer ones, and this instant is compared later.
      UPDATE invoice SET watch_at = date_trunc('milliseconds', maedal_now()) + ${AHEAD}::interval
        FROM due WHERE invoice.id = due.id RETURNING invoice.id, invoice.watch_at
    )
    SELECT claimed.id, claimed.watch_at, maedal_now() AS now, max(a.sent_at) AS last_sent_at,
           coalesce(jsonb_agg(jsonb_build_object('merchantUid', a.merchant_uid,
                      'seen', EXISTS (SELECT FROM observation o WHERE o.merchant_uid = a.merchant_uid AND o.gone_at IS NULL),
                      'gone', EXISTS (SELECT FROM observation o WHERE o.merchant_uid = a.merchant_uid AND o.gone_at > maedal_now() - ${GONE_FOR}::interval)) ORDER BY a.number)
                    FILTER (WHERE a.id IS NOT NULL), '[]') AS sent
      FROM claimed LEFT JOIN attempt a ON a.invoice_id = claimed.id AND a.send_count > 0
     GROUP BY claimed.id, claimed.watch_at`;
  return rows.map((row) => ({
    invoiceId: row.id,
    sent: row.sent,
    lastSentAt: instantOrNull(row.last_sent_at),
    watchAt: instant(row.watch_at),
    now: instant(row.now),
  }));
}

/** Ends a watch, or has it go on at `again`; unless something happened to the invoice that begins another one. */
export async function watchOn(db: Db, { invoiceId, watchAt }: Watched, again: DateTime | null): Promise<void> {
  await db.$executeRaw`
    UPDATE invoice SET watch_at = ${again?.toJSDate() ?? null}::timestamptz
     WHERE id = ${invoiceId}::uuid AND watch_at = ${watchAt.toJSDate()}`;
}

const AHEAD = '5 minutes';
/** What is gone for so long is not looked for any more. */
const GONE_FOR = '30 days';

type Row = { id: InvoiceId; watch_at: Date; now: Date; last_sent_at: Date | null; sent: Watched['sent'] };
