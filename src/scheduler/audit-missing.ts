import { DateTime } from 'luxon';
import type { LookUpAnswer, PaymentRecord } from '../billing/charge.ts';
import { sightOf } from '../gateway/canary.ts';
import type { HeldPaid } from '../store/audit.ts';
import { type AuditDeps, type AuditOrder, type Finding, note, type Tally, tell } from './audit-tally.ts';

/**
 * The other way round: looks for what we hold paid and the list does not show. Each is looked up by its id, before and after
 * a payment that both sides know, and is believed to be gone where it is missing both times: one answer that lacks what it
 * should have takes no paid invoice away from its subscriber. Returns why that could not be decided, or null.
 */
export async function compareBack(deps: AuditDeps, order: AuditOrder, tally: Tally): Promise<string | null> {
  if (tally.ours === 0) {
    // A list without one payment that we know may be another account's.
    const sight = await sightOf(deps.gateway, await deps.store.canaries(''));
    if (sight.kind === 'unseen') return `no payment that we know is in the gateway's list, and ${sight.why}`;
  }
  const unlisted = await unlistedOf(deps, order, tally);
  if (unlisted.length > MAX_LOOK_UPS) {
    return `${unlisted.length} payments that we hold paid are not in the gateway's list: is it the right account?`;
  }
  let canary: 'unseen' | 'seen' = 'unseen';
  for (const one of unlisted) {
    await order.alive();
    let verdict = judge(one, await deps.gateway.lookUp(one.merchantUid));
    if (typeof verdict === 'string') return verdict;
    if (verdict.kind === 'missing') {
      const blind = canary === 'seen' ? null : await blindness(deps, one, tally);
      if (blind !== null) return blind;
      canary = 'seen';
      verdict = judge(one, await deps.gateway.lookUp(one.merchantUid));
      if (typeof verdict === 'string') return verdict;
    }
    await found(deps, order, tally, { one, ...verdict });
  }
  return null;
}

type Judgement =
  | { readonly kind: 'uncounted'; readonly reason: string; readonly records: readonly PaymentRecord[] }
  | { readonly kind: 'missing'; readonly reason: string };

function judge({ impUid }: HeldPaid, answer: LookUpAnswer): Judgement | string {
  if (answer.kind === 'unclear') return answer.reason;
  const records = answer.kind === 'found' ? answer.records : [];
  const record = records.find((known) => known.impUid === impUid);
  switch (record?.status) {
    case 'paid':
      return `the gateway's list lacks ${impUid}, which a look-up finds`;
    case 'cancelled': // after the window, or while it was being read
      return { kind: 'uncounted', reason: 'was cancelled, which we did not know', records: [record] };
    case undefined:
      return { kind: 'missing', reason: 'is paid here, and the gateway knows no such payment' };
    default:
      return { kind: 'missing', reason: `is paid here, and the gateway calls it ${record?.status}` };
  }
}

async function found(
  { store, report }: AuditDeps,
  { effect }: AuditOrder,
  tally: Tally,
  { one, ...verdict }: Judgement & { readonly one: HeldPaid },
): Promise<void> {
  const { impUid, merchantUid, invoiceId, subscriptionId } = one;
  const finding: Finding = { kind: verdict.kind, impUid, merchantUid, reason: verdict.reason };
  note(tally, finding);
  if (effect === 'look') return;
  tell({ report }, [finding]);
  if (verdict.kind === 'uncounted') return store.observe(verdict.records, 'audit');
  await store.markGone(impUid);
  const own = { invoiceId, merchantUid, subscription: { id: subscriptionId } };
  await store.reviewPayment({ capture: { impUid }, own }, `${impUid} ${verdict.reason}`);
}

/** What was captured in the window, long enough ago to be visible, and was not listed. */
async function unlistedOf(
  { store, horizonSeconds }: AuditDeps,
  { window }: AuditOrder,
  tally: Tally,
): Promise<HeldPaid[]> {
  const visible = (await store.databaseNow()).minus({ seconds: horizonSeconds });
  const until = DateTime.min(window.until, visible);
  const unlisted: HeldPaid[] = [];
  for (let after: HeldPaid | null = null; ; ) {
    const batch: HeldPaid[] = await store.heldPaid({ from: window.from, until }, after, BATCH);
    unlisted.push(...batch.filter(({ impUid }) => !tally.seen.has(impUid)));
    after = batch.at(-1) ?? null;
    if (batch.length < BATCH) return unlisted;
  }
}

/** Why a "not found" says nothing just now; null where the canary is found. */
async function blindness(
  { store, gateway }: AuditDeps,
  { merchantUid }: HeldPaid,
  tally: Tally,
): Promise<string | null> {
  const sight = await sightOf(gateway, tally.canary === null ? await store.canaries(merchantUid) : [tally.canary]);
  return sight.kind === 'seen' ? null : sight.why;
}

const MAX_LOOK_UPS = 20;
const BATCH = 1_000;
