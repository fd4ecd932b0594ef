import type { AttemptEvent } from '../billing/attempt.ts';
import { accountFor } from '../billing/capture.ts';
import { assertNever } from '../billing/errors.ts';
import { transition } from '../billing/transition.ts';
import type { Unaccounted } from '../store/unaccounted.ts';
import { apart } from './apart.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';

/**
 * Accounts for every capture that the gateway was seen to make, whoever saw it: it settles its invoice, is put up for
 * refund, or waits for a person. Reads facts and never the queue, so that no crash leaves one without an owner. One that
 * cannot be accounted for is told, put off, and stops no other. Returns how many were looked at.
 */
export async function accountCaptures(deps: SchedulerDeps): Promise<number> {
  const captures = await deps.store.unaccountedCaptures(BATCH, deps.sandbox);
  if (captures.length > 0) await deps.failpoints.at('captures.found');
  for (const found of captures) {
    const { subscription } = found.own;
    const came = await apart(deps, subscription.externalId, () => account(deps, found));
    // Not at the head of every pass from now on.
    if (came === 'failed') await apart(deps, subscription.externalId, () => deps.store.accountAs(found, 'broken'));
    await deps.failpoints.at('capture.accounted');
  }
  return captures.length;
}

async function account(deps: SchedulerDeps, found: Unaccounted): Promise<void> {
  const isCut = found.capture.status === 'cancelled';
  // Whose a cancellation is, nobody knows before a refund of ours that may have made it has ended.
  if (isCut && (await deps.store.recordElsewhere(found)) === 'ours-open') return deps.store.accountAs(found, 'wait');
  const accounting = accountFor(found.capture);
  switch (accounting.kind) {
    case 'settles':
    case 'returned':
    case 'wait':
      return deps.store.accountAs(found, accounting.kind);
    case 'settle':
      if (await settle(deps, found)) tell(deps, found, 'settled', 'captured without an answer to us');
      return;
    case 'revive':
      if (await revive(deps, found)) tell(deps, found, 'settled', 'captured after it had been given up for dead');
      return;
    case 'refund': {
      const approval = deps.refundDuplicates === 'auto' ? 'approved' : 'proposed';
      const { reason } = accounting;
      if (await deps.store.putUpForRefund(found, { reason, approval })) tell(deps, found, 'doubled', reason);
      return;
    }
    case 'review':
      if (await deps.store.putUpForReview(found, accounting.reason)) tell(deps, found, 'review', accounting.reason);
      return;
    default:
      return assertNever(accounting);
  }
}

/** Whether it was settled; if not, it moved meanwhile, and the next sweep decides anew. */
function settle(deps: SchedulerDeps, found: Unaccounted): Promise<boolean> {
  return deps.store.record(found.own, next(deps, found, { kind: 'captured', ...named(found) }));
}

async function revive(deps: SchedulerDeps, found: Unaccounted): Promise<boolean> {
  const { living } = found;
  if (living !== null) {
    const withdrawn = next(deps, found, { kind: 'overtaken' });
    if (!(await deps.store.record(living, withdrawn))) return false;
    await deps.failpoints.at('living.withdrawn');
  }
  return settle(deps, found);
}

function next(deps: SchedulerDeps, { own, channel, policy, now }: Unaccounted, event: AttemptEvent) {
  const { quarantineSeconds } = deps.channel(channel);
  return transition({ ...own, quarantineSeconds }, event, policy, now);
}

function named({ capture, own }: Unaccounted): { readonly impUid: string; readonly merchantUid: string } {
  return { impUid: capture.impUid, merchantUid: own.merchantUid };
}

function tell(
  { report }: SchedulerDeps,
  { capture, own }: Unaccounted,
  as: 'settled' | 'doubled' | 'review',
  reason: string,
): void {
  const { invoiceId, merchantUid, subscription } = own;
  report({
    kind: 'capture.accounted',
    as,
    impUid: capture.impUid,
    merchantUid,
    invoiceId,
    subscription: subscription.externalId,
    reason,
  });
}
