import type { DateTime } from 'luxon';
import { instant, instantOrNull } from '../../../../src/store/instant.ts';
import type { Watched } from '../../../../src/store/watch.ts';
import { wasSeen } from './leasing.ts';
import type { InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

const AHEAD_MS = 300_000;
const GONE_FOR_MS = 30 * 86_400_000;

/** `claimWatched` of `store/watch.ts` in memory. */
export function claimWatched(tables: Tables, limit: number): Watched[] {
  const { nowMs } = tables;
  const due = tables.invoices
    .where(({ watch_at }) => watch_at !== null && watch_at <= nowMs)
    .sort((one, other) => (one.watch_at ?? 0) - (other.watch_at ?? 0) || (one.id < other.id ? -1 : 1));
  return due.slice(0, limit).map((invoice) => {
    tables.invoices.put(invoice.id, { ...invoice, watch_at: nowMs + AHEAD_MS });
    return watched(tables, invoice);
  });
}

function watched(tables: Tables, { id }: InvoiceRow): Watched {
  const { nowMs } = tables;
  const sent = tables.attempts.where(({ invoice_id, send_count }) => invoice_id === id && send_count > 0);
  const last = sent.reduce<number | null>((latest, { sent_at }) => Math.max(latest ?? 0, sent_at ?? 0), null);
  return {
    invoiceId: id,
    sent: sent
      .sort((one, other) => one.number - other.number)
      .map(({ merchant_uid: merchantUid }) => ({
        merchantUid,
        seen: wasSeen(tables, merchantUid),
        gone: isGoneLately(tables, merchantUid),
      })),
    lastSentAt: instantOrNull(last === null ? null : new Date(last)),
    watchAt: instant(new Date(nowMs + AHEAD_MS)),
    now: instant(new Date(nowMs)),
  };
}

function isGoneLately({ observations, nowMs }: Tables, merchantUid: string): boolean {
  const sinceMs = nowMs - GONE_FOR_MS;
  return observations.where((row) => row.merchant_uid === merchantUid && (row.gone_at ?? 0) > sinceMs).length > 0;
}

/** `watchOn` in memory. */
export function watchOn(tables: Tables, { invoiceId, watchAt }: Watched, again: DateTime | null): void {
  const invoice = tables.invoices.get(invoiceId);
  if (invoice?.watch_at !== watchAt.toMillis()) return;
  tables.invoices.put(invoice.id, { ...invoice, watch_at: again?.toMillis() ?? null });
}
