import { DateTime, IANAZone } from 'luxon';
import type { Transition } from './attempt.ts';
import type { Decline } from './charge.ts';
import { instantOf, localOf } from './local-time.ts';
import type { DunningPolicy } from './policy.ts';

/** What follows a decline that came for a send of `at`; one that says that today is over bars its card until tomorrow. */
export function barringToday(next: Transition, decline: Decline, at: DateTime, policy: DunningPolicy): Transition {
  if (decline.blockedToday !== true) return next;
  return { ...next, attempt: { ...next.attempt, cardBlockedUntil: tomorrow(at, policy) } };
}

/** The first instant of the next local day, in the zone of the policy's window; Seoul's, where it has none. */
export function tomorrow(at: DateTime, { window }: DunningPolicy): DateTime {
  const zone = IANAZone.create(window?.timezone ?? 'Asia/Seoul');
  const today = Math.floor(localOf(at.toMillis(), zone) / DAY_MS);
  return DateTime.fromMillis(instantOf((today + 1) * DAY_MS, zone), { zone: at.zone });
}

const DAY_MS = 86_400_000;
