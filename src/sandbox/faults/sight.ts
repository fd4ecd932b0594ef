import type { Core } from '../core.ts';
import type { Payment } from '../entry.ts';
import type { Hit } from './faults.ts';

/** The payments as a look-up sees them. A fault may hide some, or show one as it was before its capture. */
export function seen(core: Core, hit: Hit | null, payments: readonly Payment[]): readonly Payment[] {
  switch (hit?.what) {
    case 'lag':
      return payments.flatMap((payment) => lagging(core, payment, core.time.nowMs() - hit.param('lag_ms')));
    case 'other_account':
      return [];
    case 'sandbox_hidden':
      return core.modes.liveChannel ? payments : [];
    default:
      return payments;
  }
}

/** Whether a fault changes which payments a look-up sees. */
export function isBlurred(hit: Hit | null): boolean {
  return hit?.what === 'lag' || hit?.what === 'other_account' || hit?.what === 'sandbox_hidden';
}

/** Sorted payments in the order in which a look-up lists them. */
export function arranged(hit: Hit | null, payments: readonly Payment[]): readonly Payment[] {
  return hit?.what === 'wrong_order' ? payments.toReversed() : payments;
}

function lagging(core: Core, payment: Payment, untilMs: number): Payment | [] {
  if (payment.paidAtMs === null || payment.paidAtMs <= untilMs) return payment;
  return core.state.beforeCapture.get(payment.impUid) ?? [];
}
