import { DateTime } from 'luxon';
import type { LookUpAnswer, PaymentRecord } from '../billing/charge.ts';
import { sightOf } from '../gateway/canary.ts';
import type { HeldPaid } from '../store/audit.ts';
import { type AuditDeps, type AuditOrder, type Finding, note, type Tally, tell } from './audit-tally.ts';

/**
 * The other way round: looks for what we hold paid and the list does not show. All of it is looked up by its ids, then a
 * payment that both sides know, then what was missing once more; what is missing both times is believed to be gone: an
 * answer that lacks what it should have takes no paid invoice away from its subscriber. Returns why that could not be
 * decided, or null.
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
  const judged = await judgeAll(deps, order, unlisted);
  if (typeof judged === 'string') return judged;
  for (const one of judged) if (one.kind !== 'missing') await found(deps, order, tally, one);
  const missing = judged.flatMap(({ kind, one }) => (kind === 'missing' ? [one] : []));
  const [first] = missing;
  if (first === undefined) return null;
  const blind = await blindness(deps, first, tally);
  if (blind !== null) return blind;
  const again = await judgeAll(deps, order, missing);
  if (typeof again === 'string') return again;
  for (const one of again) await found(deps, order, tally, one);
  return null;
}

type Judged = Judgement & { readonly one: HeldPaid };

async function judgeAll(
  { gateway }: AuditDeps,
  { alive }: AuditOrder,
  payments: readonly HeldPaid[],
): Promise<Judged[] | string> {
  const judged: Judged[] = [];
  for (const one of payments) {
    await alive();
    const judgement = judge(one, await gateway.lookUp(one.merchantUid));
    if (typeof judgement === 'string') return judgement;
    judged.push({ one, ...judgement });
  }
  return judged;
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
  { one, ...verdict }: Judged,
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
