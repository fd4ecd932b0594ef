import type { Verdict } from '../billing/audit.ts';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Failpoints } from '../failpoints.ts';
import type { Gateway, Window } from '../gateway/gateway.ts';
import type { AuditStore } from '../store/audit-store.ts';
import type { Canary } from '../store/sends.ts';

/** Something in which the gateway's books and ours differ. */
export type Finding = {
  readonly kind: Exclude<Verdict['kind'], 'agrees' | 'not-ours'> | 'missing' | 'booked';
  readonly impUid: string | null;
  readonly merchantUid: string;
  /** A sentence without its subject: `was captured for …`. */
  readonly reason: string;
};

/** What a comparison came to. */
export type Audited = {
  readonly window: Window;
  /** Payments that the gateway listed, and those of them that are ours. */
  readonly listed: number;
  readonly ours: number;
  readonly counts: Readonly<Record<Finding['kind'], number>>;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** Why the gateway's books could not be read to their end; null where they were. */
  readonly unclear: string | null;
  /** Why its schedules could not; null where they were. */
  readonly bookedUnclear: string | null;
};

/** What audits are given. */
export type AuditDeps = {
  readonly store: AuditStore;
  readonly gateway: Gateway;
  readonly report: Report;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** The four letters of this installation's ids. */
  readonly installation: string;
  /** Whether the account must be a test channel (`true`) or a live one. */
  readonly sandbox: boolean;
  /** H: how long a capture may take to become visible, by the channel that takes longest. */
  readonly horizonSeconds: number;
};

export type AuditOrder = {
  readonly window: Window;
  /** `look` touches nothing: for a database that is not ours, or not yet. */
  readonly effect: 'record' | 'look';
  /** Called before every page, so that the turn does not run out. */
  readonly alive: () => Promise<void>;
};

/** What has been compared so far. */
export type Tally = {
  listed: number;
  ours: number;
  readonly counts: Record<Finding['kind'], number>;
  readonly findings: Finding[];
  /** Every `imp_uid` that was listed. */
  readonly seen: Set<string>;
  /** A payment of ours that both sides call paid. */
  canary: Canary | null;
};

/** Counts a finding, and keeps it as long as there are not too many. */
export function note(tally: Tally, finding: Finding): void {
  tally.counts[finding.kind] += 1;
  if (tally.findings.length < MAX_FINDINGS) tally.findings.push(finding);
}

/** Tells of findings as they are made: each needs a person, or at least an eye. */
export function tell({ report }: Pick<AuditDeps, 'report'>, findings: readonly Finding[]): void {
  for (const { kind: found, impUid, merchantUid, reason } of findings) {
    report({ kind: 'audit.found', found, impUid, merchantUid, reason });
  }
}

/** Nothing has been compared. */
export function newTally(): Tally {
  const counts = { unknown: 0, uncounted: 0, different: 0, foreign: 0, missing: 0, booked: 0 };
  return { listed: 0, ours: 0, counts, findings: [], seen: new Set(), canary: null };
}

const MAX_FINDINGS = 1_000;
