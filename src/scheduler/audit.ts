import { DateTime } from 'luxon';
import { judgeListed, type Verdict } from '../billing/audit.ts';
import type { ListedPayment } from '../billing/charge.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { compareBooked } from './audit-booked.ts';
import { compareBack } from './audit-missing.ts';
import {
  type AuditDeps,
  type Audited,
  type AuditOrder,
  type Finding,
  newTally,
  note,
  type Tally,
  tell,
} from './audit-tally.ts';

/**
 * Compares the gateway's payments of a window with our rows, both ways, and its schedules with our cards (protocol §2.7,
 * rule 5). What it learns is observed, and accounted for by the sweep; an unknown capture stops the sending until a
 * person has looked. Safe to make twice, and beside another one.
 */
export async function audit(deps: AuditDeps, order: AuditOrder): Promise<Audited> {
  const tally = newTally();
  const listing = await deps.gateway.payments(order.window, async (page) => {
    await order.alive();
    await comparePage(deps, order, tally, page);
  });
  await deps.failpoints.at('audit.compared');
  const back = listing.kind === 'whole' ? await compareBack(deps, order, tally) : listing.reason;
  const bookedUnclear = back === null ? await compareBooked(deps, order, tally) : null;
  const { listed, ours, counts, findings } = tally;
  return { window: order.window, listed, ours, counts, findings, unclear: back, bookedUnclear };
}

/** The gateway's clock, to end a window at; or why there is none. */
export async function gatewayNow(gateway: Pick<Gateway, 'ready'>): Promise<DateTime | { readonly unclear: string }> {
  const readiness = await gateway.ready();
  if (readiness.kind !== 'ready') return { unclear: readiness.reason };
  return DateTime.fromMillis(readiness.gatewayNowMs, { zone: 'utc' });
}

type Judged = { readonly payment: ListedPayment; readonly finding: Finding };

async function comparePage(
  deps: AuditDeps,
  { effect }: AuditOrder,
  tally: Tally,
  page: readonly ListedPayment[],
): Promise<void> {
  const held = page.length === 0 ? new Map() : await deps.store.heldOf(page);
  const judged: Judged[] = [];
  for (const payment of page) {
    const { impUid, merchantUid, status } = payment;
    const rows = held.get(impUid);
    const verdict: Verdict = rows === undefined ? { kind: 'not-ours' } : judgeListed(payment, rows, deps);
    tally.listed += tally.seen.has(impUid) ? 0 : 1;
    tally.seen.add(impUid);
    if (verdict.kind === 'not-ours') continue;
    tally.ours += verdict.kind === 'foreign' ? 0 : 1;
    if (verdict.kind !== 'agrees') judged.push({ payment, finding: { ...verdict, impUid, merchantUid } });
    else if (status === 'paid' && rows?.attempt?.state === 'paid') tally.canary = { impUid, merchantUid };
  }
  for (const { finding } of judged) note(tally, finding);
  if (effect === 'record' && judged.length > 0) await act(deps, judged);
}

async function act(deps: AuditDeps, judged: readonly Judged[]): Promise<void> {
  const { store } = deps;
  const unknown = judged.filter(({ finding }) => finding.kind === 'unknown');
  const foreign = judged.filter(({ finding }) => finding.kind === 'foreign');
  const others = judged.filter((one) => !unknown.includes(one) && !foreign.includes(one));
  // The sending stops before anything else: whoever dies here leaves it stopped.
  if (unknown.length > 0) await stop(deps, unknown);
  const fresh = new Set([
    ...(await store.raise('audit.unknown_capture', unknown.map(alarm))),
    ...(await store.raise('audit.foreign_capture', foreign.map(alarm))),
  ]);
  await store.observe(paymentsOf([...unknown, ...others]), 'audit');
  await store.observe(paymentsOf(foreign), 'audit', 'foreign');
  tell(
    deps,
    judged.filter((one) => others.includes(one) || fresh.has(one.payment.impUid)).map(({ finding }) => finding),
  );
}

async function stop({ store, report }: AuditDeps, unknown: readonly Judged[]): Promise<void> {
  const named = unknown.slice(0, MAX_NAMED).map(({ finding }) => `${finding.impUid} (${finding.merchantUid})`);
  const more = unknown.length > MAX_NAMED ? ` and ${unknown.length - MAX_NAMED} more` : '';
  const reason = `the gateway holds payments of ours that this database does not know: ${named.join(', ')}${more}`;
  const captures = unknown.map(({ payment: { impUid, merchantUid }, finding }) => {
    return { impUid, reason: `${impUid} (${merchantUid}) ${finding.reason}` };
  });
  if (await store.raiseUnknownCaptures(captures, { actor: 'maedal/audit', reason })) {
    report({ kind: 'sending.stopped', by: 'maedal/audit', reason });
  }
}

function paymentsOf(judged: readonly Judged[]): ListedPayment[] {
  return judged.map(({ payment }) => payment);
}

function alarm({ payment, finding }: Judged) {
  const { impUid, merchantUid, amount, customerUid, status } = payment;
  const money = { amount: amount?.minor ?? null, currency: amount?.currency ?? null };
  const payload = { imp_uid: impUid, merchant_uid: merchantUid, customer_uid: customerUid, status, ...money };
  return { impUid, payload: { ...payload, reason: finding.reason } };
}

const MAX_NAMED = 5;
