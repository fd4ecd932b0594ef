import type { Gateway } from './gateway.ts';

/** Whether the gateway shows what it must know; only then is its "not found" of something else an answer. */
export type Sight =
  | { readonly kind: 'seen'; readonly impUid: string }
  | { readonly kind: 'blind'; readonly why: string };

/** Looks up a payment of ours that is known to be paid, null where there is none (protocol §2.6). */
export async function sightOf(
  gateway: Pick<Gateway, 'lookUp'>,
  canary: { readonly merchantUid: string; readonly impUid: string } | null,
): Promise<Sight> {
  if (canary === null) {
    return { kind: 'blind', why: 'no payment is known to be paid that could be looked up beside it' };
  }
  const { merchantUid, impUid } = canary;
  const answer = await gateway.lookUp(merchantUid);
  const isSeen =
    answer.kind === 'found' && answer.records.some((record) => record.impUid === impUid && record.status === 'paid');
  if (isSeen) return { kind: 'seen', impUid };
  return { kind: 'blind', why: `the look-up does not find ${impUid} either, which was paid` };
}
