import { DateTime } from 'luxon';
import type { BookedKey } from '../store/billing-keys.ts';
import { type AuditDeps, type AuditOrder, newTally, note, type Tally, tell } from './audit-tally.ts';

/**
 * Looks for charges that the gateway has been told to make by itself on cards of ours: while there are any, nothing is
 * sent on those cards, for both would charge (protocol §2.8). Returns why the list could not be read, or null.
 */
export async function compareBooked(
  deps: AuditDeps,
  order: Pick<AuditOrder, 'effect' | 'alive'>,
  tally: Tally,
): Promise<string | null> {
  const now = await deps.store.databaseNow();
  const booked: (BookedKey & { readonly merchantUid: string })[] = [];
  const listing = await deps.gateway.schedules({ from: now, until: now.plus({ days: DAYS_AHEAD }) }, async (page) => {
    await order.alive();
    const ours = await deps.store.ownKeys(page.map(({ customerUid }) => customerUid));
    const toCome = page.filter((one) => one.isPending && ours.has(one.customerUid));
    for (const { customerUid, merchantUid, scheduleAtMs } of toCome) {
      const at = DateTime.fromMillis(scheduleAtMs, { zone: 'utc' }).toISO({ suppressMilliseconds: true });
      booked.push({
        customerUid,
        merchantUid,
        reason: `the gateway charges this card by itself at ${at} (${merchantUid})`,
      });
    }
  });
  const findings = booked.map(
    ({ merchantUid, reason }) => ({ kind: 'booked', impUid: null, merchantUid, reason }) as const,
  );
  for (const finding of findings) note(tally, finding);
  if (listing.kind === 'unclear') return listing.reason; // what was held stays held
  if (order.effect === 'look') return null;
  const fresh = new Set(await deps.store.holdBookedKeys(booked));
  tell(
    deps,
    findings.filter((_, index) => fresh.has(booked[index]?.customerUid ?? '')),
  );
  return null;
}

/** Looks for them again where an audit could not, or where cards have come since, and leaves the payments to the next audit. */
export async function compareBookedAgain(deps: AuditDeps): Promise<void> {
  const begunAt = await deps.store.takeSchedulesTurn();
  if (begunAt === null) return;
  const unclear = await compareBooked(deps, { effect: 'record', alive: async () => undefined }, newTally());
  if (unclear !== null) deps.report({ kind: 'audit.schedules_unclear', reason: unclear });
  await deps.store.recordSchedules(unclear, begunAt);
}

/** The gateway lists three months at most; an audit a day sees each charge long before it is made. */
const DAYS_AHEAD = 87;
