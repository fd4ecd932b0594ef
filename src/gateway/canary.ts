import type { Gateway } from './gateway.ts';

/** Whether the gateway shows what it must know; only then is its "not found" of something else an answer. */
export type Sight =
  | { readonly kind: 'seen'; readonly impUid: string }
  | { readonly kind: 'unseen'; readonly why: string }
  /** Nothing is known that could be looked for. */
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Looks up payments that are known to be paid, one after the other, until one is found (protocol §2.6). One that was
 * given back since is found as well: what is asked is whether this account's books answer.
 */
export async function sightOf(
  gateway: Pick<Gateway, 'lookUp'>,
  canaries: readonly { readonly merchantUid: string; readonly impUid: string }[],
): Promise<Sight> {
  const missed: string[] = [];
  for (const { merchantUid, impUid } of canaries) {
    const answer = await gateway.lookUp(merchantUid);
    if (answer.kind === 'unclear') return { kind: 'unseen', why: `${impUid} cannot be looked for: ${answer.reason}` };
    const records = answer.kind === 'found' ? answer.records : [];
    if (records.some((record) => record.impUid === impUid && TAKEN.has(record.status))) return { kind: 'seen', impUid };
    missed.push(impUid);
  }
  if (missed.length > 0)
    return { kind: 'unseen', why: `the look-up does not find ${missed[0]} either, which was paid` };
  return { kind: 'unknown', why: 'no payment is known to be paid that could be looked up beside it' };
}

const TAKEN: ReadonlySet<string> = new Set(['paid', 'cancelled']);
