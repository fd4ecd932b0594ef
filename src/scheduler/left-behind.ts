import { BATCH, type SchedulerDeps } from './deps.ts';

/** Invoices follow their subscription: held or void while it is not charged, and let go once it is again. */
export async function settleLeftBehind({ store, channel: channelOf }: SchedulerDeps): Promise<void> {
  for (const { id, channel, as } of await store.unsettledInvoices(BATCH)) {
    const { quarantineSeconds } = channelOf(channel);
    await store.settleInvoices({ id }, as, { fingerprint: null, quarantineSeconds });
  }
}
