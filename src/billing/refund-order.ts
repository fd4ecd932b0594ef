import { InputError } from './errors.ts';
import { formatMajor, type Money, parseMajor } from './money.ts';

/** A payment of an invoice that the gateway was seen to take, and what is being given back of it. */
export type Refundable = {
  readonly impUid: string;
  readonly captured: Money;
  readonly cancelledMinor: number;
  /**
   * `settles`: the invoice counts as paid by it. `surplus`: it was put up for refund. `gone`: it is not at
   * the gateway any more. `other`: a person must look. */
  readonly standing: 'settles' | 'surplus' | 'gone' | 'other';
  /** Its refund that has not ended. */
  readonly open: { readonly id: string; readonly stage: 'proposed' | 'under-way' } | null;
};

/** What a person's word sets in motion: proposals that are approved, and refunds that begin. */
export type RefundOrder = {
  readonly approve: readonly string[];
  readonly begin: readonly { readonly impUid: string; readonly amount: Money; readonly checksum: Money }[];
};

/** What a person wants given back: `amount` in major units, null for all that is left; `impUid` null where it is plain which. */
export type RefundWanted = { readonly amount: string | null; readonly impUid: string | null };

/**
 * Reads the wish to refund an invoice: what was captured beyond its due comes first, proposed or failed before; else the
 * payment that settled it, or the one for which it waits for a person. Pure. Throws InputError, saying what to do.
 */
export function orderRefund(
  invoice: { readonly state: string },
  all: readonly Refundable[],
  { amount, impUid }: RefundWanted,
): RefundOrder {
  const named = impUid === null ? all : all.filter((payment) => payment.impUid === impUid);
  if (impUid !== null && named.length === 0) {
    throw new InputError(`${impUid} was not captured for this invoice`, `name one of ${impUids(all) || 'none'}`);
  }
  const payments = named.filter(({ standing }) => standing !== 'gone');
  if (payments.length === 0 && named.length > 0) {
    throw new InputError(
      `${impUids(named)} is not at the gateway any more, so that nothing of it can be given back`,
      '`maedal explain` tells how the invoice may go on',
    );
  }
  const surplus = payments.filter((payment) => payment.standing === 'surplus' && payment.open?.stage !== 'under-way');
  const approve = surplus.flatMap(({ open }) => open?.id ?? []);
  const begin = surplus.filter((payment) => payment.open === null && left(payment).minor > 0).map(wholly);
  if (approve.length + begin.length === 0) return { approve, begin: [ofOne(invoice, payments, amount)] };
  if (amount === null) return { approve, begin };
  throw new InputError(
    `--amount is for the payment that settled an invoice, and ${impUids(surplus)} was taken beyond what was due`,
    'leave --amount out to give it back whole; the invoice can be refunded after that',
  );
}

function ofOne(
  { state }: { readonly state: string },
  payments: readonly Refundable[],
  amount: string | null,
): RefundOrder['begin'][number] {
  const busy = payments.find(({ open }) => open?.stage === 'under-way');
  if (busy !== undefined) {
    throw new InputError(`${busy.impUid} is being refunded already`, 'see `maedal explain` for how far it is');
  }
  const payment = state === 'review' ? waiting(payments) : payments.find(({ standing }) => standing === 'settles');
  if (!REFUNDED_FROM.has(state) || payment === undefined) {
    throw new InputError(`the invoice is ${state}; only what it was paid with can be refunded`, 'see `maedal explain`');
  }
  const balance = left(payment);
  if (balance.minor === 0) throw new InputError(`nothing is left of ${payment.impUid}`, 'see `maedal explain`');
  if (amount === null) return wholly(payment);
  const asked = parseMajor(amount, balance.currency);
  if (asked.minor === 0 || asked.minor > balance.minor) {
    const most = `${formatMajor(balance)} ${balance.currency}`;
    throw new InputError(`${amount} cannot be given back`, `write more than 0, and no more than the ${most} left`);
  }
  return { impUid: payment.impUid, amount: asked, checksum: balance };
}

/** What a person has to decide about; of several, one must be named. */
function waiting(payments: readonly Refundable[]): Refundable | undefined {
  const kept = payments.filter((payment) => left(payment).minor > 0);
  if (kept.length > 1) {
    throw new InputError(`${impUids(kept)} were captured for it`, 'say which one is given back: --imp-uid');
  }
  return kept[0];
}

const REFUNDED_FROM: ReadonlySet<string> = new Set(['paid', 'review']);

function wholly(payment: Refundable): RefundOrder['begin'][number] {
  return { impUid: payment.impUid, amount: left(payment), checksum: left(payment) };
}

function left({ captured, cancelledMinor }: Refundable): Money {
  return { minor: Math.max(0, captured.minor - cancelledMinor), currency: captured.currency };
}

function impUids(payments: readonly Refundable[]): string {
  return payments.map(({ impUid }) => impUid).join(', ');
}
