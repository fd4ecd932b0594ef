import { DateTime } from 'luxon';
import type { Window } from '../gateway/gateway.ts';
import type { AuditTurn } from '../store/audit-turn.ts';
import { audit, gatewayNow } from './audit.ts';
import type { AuditDeps, Audited } from './audit-tally.ts';

/**
 * Makes the audit that is due: the first since `since` (this scheduler's start), or a day after the last. From where the
 * last one ended, and at least three days back. One at a time over all schedulers; null where none is due or another one
 * is at it. One that could not be finished is made again in minutes.
 */
export async function auditIfDue(deps: AuditDeps, since: DateTime): Promise<Audited | null> {
  const turn = await deps.store.takeAuditTurn({ since, everyHours: EVERY_HOURS }, LEASE_SECONDS);
  if (turn === null) return null;
  try {
    const until = await gatewayNow(deps.gateway);
    if (!DateTime.isDateTime(until)) return await putOff(deps, turn, until.unclear);
    const startedMs = deps.clock.monotonicMs();
    const alive = () => deps.store.keepAuditTurn(turn, LEASE_SECONDS);
    const audited = await audit(deps, { window: windowOf(turn.auditedUntil, until, deps), effect: 'record', alive });
    if (audited.unclear !== null) return await putOff(deps, turn, audited.unclear);
    await conclude(deps, audited, { actor: 'maedal/audit', turn, startedMs });
    return audited;
  } catch (error) {
    await deps.store.keepAuditTurn(turn, AGAIN_SECONDS);
    throw error;
  }
}

/** Writes an audit down and tells of it; with a turn it counts, and ends the turn. Returns whether it passed. */
export async function conclude(
  deps: AuditDeps,
  audited: Audited,
  { actor, turn, startedMs }: { readonly actor: string; readonly turn: AuditTurn | null; readonly startedMs: number },
): Promise<boolean> {
  const { counts, window } = audited;
  const result = {
    actor,
    until: window.until,
    isClean: audited.unclear === null && counts.unknown === 0,
    schedulesUnclear: audited.bookedUnclear,
    details: detailsOf(audited),
  };
  const passed = await deps.store.recordAudit(result, turn);
  await deps.failpoints.at('audit.recorded');
  const { listed, ours } = audited;
  const findings = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const tookMs = Math.round(deps.clock.monotonicMs() - startedMs);
  if (audited.bookedUnclear !== null) deps.report({ kind: 'audit.schedules_unclear', reason: audited.bookedUnclear });
  deps.report({ kind: 'audit.finished', listed, ours, findings, passed, tookMs });
  return passed;
}

/** An audit as its row and `--json` keep it. */
export function detailsOf({ window, listed, ours, counts, findings, unclear, bookedUnclear }: Audited) {
  return {
    from: window.from.toISO(),
    until: window.until.toISO(),
    listed,
    ours,
    counts,
    findings: findings.slice(0, MAX_KEPT).map(({ kind, impUid, merchantUid, reason }) => {
      return { kind, imp_uid: impUid, merchant_uid: merchantUid, reason };
    }),
    unclear,
    booked_unclear: bookedUnclear,
  };
}

async function putOff(deps: AuditDeps, turn: AuditTurn, reason: string): Promise<null> {
  await deps.store.keepAuditTurn(turn, AGAIN_SECONDS);
  deps.report({ kind: 'audit.unclear', reason });
  return null;
}

/** From where the last audit ended, and at least three days back from where all that was captured shows. */
export function windowOf(
  auditedUntil: DateTime | null,
  until: DateTime,
  { horizonSeconds }: Pick<AuditDeps, 'horizonSeconds'>,
): Window {
  const back = until.minus({ days: DAYS_BACK, seconds: horizonSeconds });
  return { from: auditedUntil === null ? back : DateTime.min(back, auditedUntil), until };
}

const EVERY_HOURS = 24;
const DAYS_BACK = 3;
const LEASE_SECONDS = 120;
const AGAIN_SECONDS = 120;
const MAX_KEPT = 200;
