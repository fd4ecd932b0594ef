import type { CancellablePayment, PaymentAnswer } from './cancel.ts';

/** A payment as it was looked at. `missing`: the gateway knows no such payment, and shows another one that is known to be paid. */
export type PaymentSight = PaymentAnswer | { readonly kind: 'missing' };

/** What a refund asks for; see `RefundStanding`. */
type Wanted = {
  readonly amountMinor: number;
  readonly checksumMinor: number;
  readonly capturedMinor: number;
  readonly leases: number;
};

/** What a look at a payment says of its refund: it is given back, nothing of it is, or something that nobody asked for. */
type Seen =
  | { readonly kind: 'given'; readonly payment: CancellablePayment }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'contradicts' | 'gone'; readonly reason: string }
  | { readonly kind: 'unclear'; readonly reason: string };

/** Judges a look at a payment, of which somebody wants a part or all given back. Pure. */
export function judgeSight(standing: Wanted, at: PaymentSight): Seen {
  if (at.kind === 'found') return judgeFound(standing, at);
  if (at.kind !== 'absent' && at.kind !== 'missing') return at;
  const reason = 'the gateway says that it knows no such payment';
  if (at.kind === 'missing' && standing.leases >= LOOKS_FOR_MISSING) return { kind: 'gone', reason };
  // It was seen captured: whoever says otherwise, and shows nothing else that is known, looks into another account.
  return { kind: standing.leases >= LOOKS_AT_MOST ? 'contradicts' : 'unclear', reason };
}

function judgeFound(standing: Wanted, payment: CancellablePayment): Seen {
  const { record } = payment;
  if (record.status === 'ready' || record.status === 'other') {
    return { kind: 'unclear', reason: `the gateway shows the payment as '${record.status}'` };
  }
  if (record.status === 'failed') return { kind: 'gone', reason: 'the gateway shows the payment as failed' };
  if (record.amount?.minor !== standing.capturedMinor) {
    return { kind: 'contradicts', reason: `the gateway shows another amount than ${standing.capturedMinor}` };
  }
  const given = record.cancelMinor - cancelledBefore(standing);
  if (given === standing.amountMinor) return { kind: 'given', payment };
  if (given === 0) return { kind: 'nothing' };
  return { kind: 'contradicts', reason: `somebody else cancelled: ${record.cancelMinor} of it is given back in all` };
}

/** What had been given back of the payment when this refund was asked for. */
export function cancelledBefore({
  capturedMinor,
  checksumMinor,
}: Pick<Wanted, 'capturedMinor' | 'checksumMinor'>): number {
  return capturedMinor - checksumMinor;
}

/** Beside another payment that is found, a payment that is missing this often is gone. */
const LOOKS_FOR_MISSING = 4;
/** A person is told that nothing can be learnt, at last. */
const LOOKS_AT_MOST = 40;
