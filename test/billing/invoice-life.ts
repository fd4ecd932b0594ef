import fc from 'fast-check';
import type { Transition } from '../../src/billing/attempt.ts';
import { accountFor } from '../../src/billing/capture.ts';
import { DECLINE_CLASSES, type PaymentRecord } from '../../src/billing/charge.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import type { ModelledInvoice } from './modelled-invoice.ts';

const MONEY = { minor: 9_900, currency: 'KRW' };
const RECORD: PaymentRecord = {
  ...{
    impUid: 'imps_1',
    merchantUid: 'uid',
    status: 'paid',
    amount: MONEY,
    cancelMinor: 0,
    customerUid: null,
    sandbox: true,
  },
  ...{ decline: null, startedAtMs: 0, paidAtMs: 0, failedAtMs: null, raw: {} },
};
const declines = fc.record({ class: fc.constantFrom(...DECLINE_CLASSES), reason: fc.constant('no') });
/** What leaves the fate of a send open, or has it go again. */
const OPEN = [
  { kind: 'not-sent', reason: 'down' },
  { kind: 'not-sent', reason: 'ready', unsettled: true },
  { kind: 'unknown', reason: 'lost' },
  { kind: 'not-found', horizon: 'open' },
  { kind: 'not-found', horizon: 'over' },
  { kind: 'absent', beside: 'imps_3' },
  { kind: 'absent', beside: 'imps_3' },
  { kind: 'review', reason: 'contradicts' },
] as const;

const paid = fc.constant<ChargeOutcome>({ kind: 'paid', record: RECORD });
const refused: fc.Arbitrary<ChargeOutcome> = fc.oneof(
  fc.record({
    kind: fc.constant('declined' as const),
    decline: declines,
    impUid: fc.constant('imps_2'),
    unanswered: fc.nat(1),
  }),
  fc.record({ kind: fc.constant('rejected' as const), decline: declines, unanswered: fc.nat(1) }),
);

/** What a send may come to; of so many that leave it open, two are declined and one is paid. */
export function outcomes(open: number): fc.Arbitrary<ChargeOutcome> {
  const left = { weight: open, arbitrary: fc.constantFrom<ChargeOutcome>(...OPEN) };
  return fc.oneof({ weight: 1, arbitrary: paid }, { weight: 2, arbitrary: refused }, left);
}

/** What was sent is answered; only an unknown one is proved absent. */
export function answered(invoice: ModelledInvoice, outcome: ChargeOutcome): Transition | null {
  const { living } = invoice;
  if (living?.state !== 'sent' && living?.state !== 'unknown') return null;
  if (living.state === 'unknown' && outcome.kind === 'not-sent') return null;
  return invoice.happens({ kind: 'outcome', outcome });
}

/** A send of a dead attempt lands after all: it is accounted for, and settles its invoice where that is owed. */
export function capturedLate(invoice: ModelledInvoice, index: number): Transition | null {
  const attempt = invoice.attempts[index];
  if (attempt === undefined || attempt.sends === 0 || attempt.state === 'paid') return null;
  const { living } = invoice;
  const sibling = living === undefined || living === attempt ? null : { state: living.state, hold: 'free' as const };
  const { state } = attempt;
  const found = { state, impUid: null, hold: 'free', invoice: invoice.state, others: 'none', sibling } as const;
  const asked = { customerUid: 'card', amount: MONEY, sandbox: true };
  const payment = {
    impUid: 'imps_9',
    status: 'paid',
    presence: 'there',
    amount: MONEY,
    cancelMinor: 0,
    sandbox: true,
  } as const;
  const { kind } = accountFor({ ...payment, customerUid: 'card', refundMinor: 0, attempt: { ...found, asked } });
  if (kind !== 'settle' && kind !== 'revive') return null;
  if (kind === 'revive' && living !== undefined && living !== attempt) invoice.happens({ kind: 'overtaken' }, living);
  return invoice.happens({ kind: 'captured', impUid: 'imps_9', merchantUid: 'uid' }, attempt);
}
