import type { Gateway } from './gateway.ts';

/** Whether the gateway shows what it must know; only then is its "not found" of something else an answer. */
export type Sight =
  | { readonly kind: 'seen'; readonly impUid: string }
  | { readonly kind: 'unseen'; readonly why: string }
  /** Nothing is known that could be looked for. */
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Looks up payments that are known to be paid, one after the other, until one is found (protocol §2.6). One that was
 * given back since is found as well: what is asked is whether this account's books answer. None is begun once it `isLate`.
 */
export async function sightOf(
  gateway: Pick<Gateway, 'lookUp'>,
  canaries: readonly { readonly merchantUid: string; readonly impUid: string }[],
  isLate: () => boolean = () => false,
): Promise<Sight> {
  const missed: string[] = [];
  for (const { merchantUid, impUid } of canaries) {
    if (isLate()) return { kind: 'unseen', why: missed[0] ?? 'look-ups take too long just now' };
    const answer = await gateway.lookUp(merchantUid);
    const records = answer.kind === 'found' ? answer.records : [];
    if (records.some((record) => record.impUid === impUid && TAKEN.has(record.status))) return { kind: 'seen', impUid };
    const unclear = answer.kind === 'unclear' ? `${impUid} cannot be looked for: ${answer.reason}` : null;
    missed.push(unclear ?? `the look-up does not find ${impUid} either, which was paid`);
  }
  const [first] = missed;
  if (first !== undefined) return { kind: 'unseen', why: first };
  return { kind: 'unknown', why: 'no payment is known to be paid that could be looked up beside it' };
}

const TAKEN: ReadonlySet<string> = new Set(['paid', 'cancelled']);
