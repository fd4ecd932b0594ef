import type { InvoiceId } from '../billing/ids.ts';
import { judge } from '../billing/intervention.ts';
import { standingOf } from '../store/interventions.ts';
import { apart } from './apart.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';

/**
 * Has what is unpaid charged on a card that was given while it could not be: while another charge was under way or might
 * still land, or where somebody died before it was ordered. Each invoice once, as soon as it may.
 */
export async function tryGivenCards(deps: SchedulerDeps): Promise<void> {
  for (const { id, state, subscription } of await deps.store.payableByGivenCards(BATCH))
    await apart(deps, subscription, () => tryNow(deps, id, state === 'held' ? 'release' : 'retry'));
}

/** What may not be charged yet is asked of again by the next pass; so is what changed meanwhile. */
async function tryNow(
  { store, channel }: SchedulerDeps,
  invoiceId: InvoiceId,
  intervention: 'retry' | 'release',
): Promise<void> {
  const found = await store.findForIntervention(invoiceId);
  if (found === null) return;
  const judgement = judge(intervention, standingOf(found, channel(found.channel)));
  if (judgement.kind !== 'change') return;
  await store.intervene({ invoiceId, intervention, said: SAID, fingerprint: null }, found, judgement.change);
}

const SAID = { actor: 'maedal/scheduler', reason: 'another card was given' };
