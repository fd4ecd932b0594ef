import { chargeAtOnce } from './charging.ts';
import type { Core } from './core.ts';
import type { Payment } from './entry.ts';
import { detourBy } from './faults/course.ts';
import { issueImpUid } from './numbers.ts';
import { statusOf } from './standing.ts';
import { paymentsOf } from './state.ts';

/** Which declined payments Recovery charges again. */
export type RecoveryAsk = {
  /** Null: everybody's. */
  readonly customerUid: string | null;
  readonly merchantUidPrefix: string;
  /** The test card whose way the charges go; null: the key's own. */
  readonly card: string | null;
  /** Declined before this instant. */
  readonly failedBeforeMs: number;
  /** Null: now. */
  readonly atMs: number | null;
};

/**
 * PortOne's Recovery: charges declined payments again with the present key of their customer_uid, each under a
 * merchant_uid of PortOne's own making, the rest as it was (fact sheet §6.1). A payment that was charged so with success,
 * or whose merchant_uid was paid otherwise, is left alone. Returns the payments made.
 */
export function recover(core: Core, ask: RecoveryAsk): readonly Payment[] {
  const { timeline, payments } = core.state;
  const failed = timeline.within('failed', 0, ask.failedBeforeMs).flatMap((impUid) => payments.get(impUid) ?? []);
  return failed.filter((payment) => isWanted(core, payment, ask)).flatMap((payment) => chargeAgain(core, payment, ask));
}

/** Has Recovery run every day at the hour of the modes, for what was declined before that day in Korea began. */
export function awaitRecovery(core: Core, afterMs: number): void {
  const { recoveryHour } = core.modes;
  if (recoveryHour === 0) return;
  const dueMs = koreanMidnight(afterMs) + recoveryHour * HOUR_MS;
  core.time.at(dueMs > afterMs ? dueMs : dueMs + DAY_MS, (atMs) => {
    const everybody = { customerUid: null, merchantUidPrefix: '', card: null };
    recover(core, { ...everybody, failedBeforeMs: koreanMidnight(atMs), atMs });
    awaitRecovery(core, atMs);
  });
}

function isWanted(core: Core, payment: Payment, { customerUid, merchantUidPrefix }: RecoveryAsk): boolean {
  const { impUid, merchantUid, cause } = payment;
  if (cause.by === 'recovery' || core.state.recovered.has(impUid)) return false; // it rolls over through the first one
  if (customerUid !== null && payment.customerUid !== customerUid) return false;
  if (!merchantUid.startsWith(merchantUidPrefix)) return false;
  return !paymentsOf(core.state, merchantUid).some((each) => statusOf(each) === 'paid' || each.cancels.length > 0);
}

function chargeAgain(core: Core, declined: Payment, { card, atMs }: RecoveryAsk): Payment[] {
  const key = core.state.keys.get(declined.customerUid ?? '');
  if (key === undefined) return [];
  const impUid = issueImpUid(core.state, atMs ?? core.time.nowMs()); // the one that this charge gets
  chargeAtOnce(core, {
    ...declined,
    merchantUid: `recovery_${impUid.slice('imps_'.length)}`,
    amount: { minor: declined.minor, currency: declined.currency },
    card: key.card,
    pgProvider: key.pgProvider,
    pgId: key.pgId,
    cause: { by: 'recovery', of: declined.impUid },
    detour: card === null ? null : detourBy(card),
    atMs,
  });
  return [core.state.payments.get(impUid) ?? core.state.promised.get(impUid) ?? []].flat();
}

function koreanMidnight(ms: number): number {
  return Math.floor((ms + KOREA_AHEAD_MS) / DAY_MS) * DAY_MS - KOREA_AHEAD_MS;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KOREA_AHEAD_MS = 9 * HOUR_MS;
