import type { WorkerDeps } from './deps.ts';

/** Whether the gateway shows what it must know, so that its "not found" of something else is worth anything. */
type Sight = { readonly kind: 'seen'; readonly impUid: string } | { readonly kind: 'unseen'; readonly why: string };

/** Looks up a payment known to be paid, of another id than the one that was not found just now. */
export async function lookForCanary(deps: WorkerDeps, notFound: string): Promise<Sight> {
  const canary = await deps.store.canary(notFound);
  if (canary === null)
    return { kind: 'unseen', why: 'no payment is known to be paid that could be looked up beside it' };
  const seen = await deps.gateway.lookUp(canary.merchantUid);
  const isSeen =
    seen.kind === 'found' && seen.records.some(({ impUid, status }) => impUid === canary.impUid && status === 'paid');
  await deps.failpoints.at('canary.seen');
  if (isSeen) return { kind: 'seen', impUid: canary.impUid };
  return { kind: 'unseen', why: `the look-up does not find ${canary.impUid} either, which was paid` };
}
