import type { Db } from './db.ts';

/** What a process takes its database for (`fingerprintOf`), and whether it sends nothing before a person adopted it. */
export type Identity = { readonly fingerprint: string; readonly needsAdoption: boolean };

/** What a process may do with its database (protocol §2.3, K9). */
export type Fence =
  | { readonly kind: 'open' }
  /** Draws up and looks up, and sends nothing. */
  | { readonly kind: 'not-adopted'; readonly reason: string }
  /** Reads only: sends, refunds, delivers and records nothing. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** Reads it off the installation's row. */
export async function readFence(db: Db, identity: Identity): Promise<Fence> {
  return fenceOf(await db.control.findUniqueOrThrow({ where: { id: 1 }, select: FENCE_FIELDS }), identity);
}

/** The same from a row that was read already. Pure. */
export function fenceOf(row: { fingerprint: string | null; adopted_at: Date | null }, identity: Identity): Fence {
  const { fingerprint, needsAdoption } = identity;
  if (row.fingerprint !== null && row.fingerprint !== fingerprint) {
    return { kind: 'foreign', reason: `this database ${differences(row.fingerprint, fingerprint)}` };
  }
  if (!needsAdoption || (row.fingerprint !== null && row.adopted_at !== null)) return { kind: 'open' };
  return { kind: 'not-adopted', reason: 'this database was not adopted for live charges' };
}

/** Which parts of the two fingerprints differ, in words: account, server, name. */
function differences(marked: string, ours: string): string {
  const own = ours.split(':');
  const differing = marked
    .split(':')
    .flatMap((part, index) => (part === own[index] ? [] : [PARTS[index] ?? 'differs']));
  return differing.length === 0 ? 'is marked in another way' : differing.join(', and ');
}

const PARTS = [
  'belongs to another MAEDAL_SECRET or another PortOne key',
  'was moved or copied from another server',
  'had another name',
];

const FENCE_FIELDS = { fingerprint: true, adopted_at: true } as const;
