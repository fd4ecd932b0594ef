import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accountFor } from '../../src/billing/capture.ts';
import { DECLINE_CLASSES, type PaymentRecord } from '../../src/billing/charge.ts';
import { judge } from '../../src/billing/intervention.ts';
import { AWAITING_CARD } from '../../src/billing/invoice.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { ModelledInvoice as Invoice, QUARANTINE } from './modelled-invoice.ts';

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
  { kind: 'not-found' },
  { kind: 'absent', beside: 'imps_3' },
  { kind: 'absent', beside: 'imps_3' },
  { kind: 'review', reason: 'contradicts' },
] as const;
const outcomes: fc.Arbitrary<ChargeOutcome> = fc.oneof(
  fc.constant({ kind: 'paid', record: RECORD } as const),
  fc.record({
    kind: fc.constant('declined' as const),
    decline: declines,
    impUid: fc.constant('imps_2'),
    unanswered: fc.nat(1),
  }),
  fc.record({ kind: fc.constant('rejected' as const), decline: declines, unanswered: fc.nat(1) }),
  { weight: 6, arbitrary: fc.constantFrom(...OPEN) },
);

type Doing = (invoice: Invoice) => void;
const doings: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Doing>((invoice) => invoice.send()) },
  { weight: 4, arbitrary: outcomes.map<Doing>((outcome) => (invoice) => answered(invoice, outcome)) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 60 }).map<Doing>((hours) => (invoice) => invoice.pass(hours)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('retry' as const, 'release' as const, 'void' as const)
      .map<Doing>((what) => (invoice) => ordered(invoice, what)),
  },
  {
    weight: 3,
    arbitrary: fc.constant<Doing>((invoice) =>
      invoice.happens({ kind: 'withdrawn', to: 'held', reason: 'over_max_amount' }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Doing>(awaited) },
  { weight: 1, arbitrary: fc.nat(5).map<Doing>((index) => (invoice) => capturedLate(invoice, index)) },
);

/** What was sent is answered; only an unknown one is proved absent. */
function answered(invoice: Invoice, outcome: ChargeOutcome): void {
  const { living } = invoice;
  if (living?.state !== 'sent' && living?.state !== 'unknown') return;
  if (living.state === 'unknown' && outcome.kind === 'not-sent') return;
  invoice.happens({ kind: 'outcome', outcome });
}

function ordered(invoice: Invoice, what: 'retry' | 'release' | 'void'): void {
  const judgement = judge(what, invoice.standing());
  if (judgement.kind === 'change') invoice.order(judgement.change);
}

/** The last instant for another card has come, and sometimes another card. */
function awaited(invoice: Invoice): void {
  if (invoice.reason !== AWAITING_CARD || invoice.nextAt === null) return;
  if (invoice.nextAt > invoice.now)
    invoice.cards = [{ id: 'new', declines: 0, refusals: 0, lastTriedAt: null, declined: null }, ...invoice.cards];
  invoice.happens(
    {
      kind: 'card_awaited',
      decline: { class: 'card', reason: 'no' },
      barredUntil: invoice.standing().barredUntil,
      releasedAt: null,
    },
    invoice.attempts.at(-1),
  );
}

/** A send of a dead attempt lands after all: it is accounted for, and settles its invoice where that is owed. */
function capturedLate(invoice: Invoice, index: number): void {
  const attempt = invoice.attempts[index];
  if (attempt === undefined || attempt.sends === 0 || attempt.state === 'paid') return;
  const { living } = invoice;
  const sibling = living === undefined || living === attempt ? null : { state: living.state, hold: 'free' as const };
  const found = {
    state: attempt.state,
    impUid: null,
    hold: 'free',
    invoice: invoice.state,
    others: 'none',
    sibling,
  } as const;
  const asked = { customerUid: 'card', amount: MONEY, sandbox: true };
  const capture = {
    impUid: 'imps_9',
    status: 'paid',
    amount: MONEY,
    cancelMinor: 0,
    customerUid: 'card',
    sandbox: true,
  } as const;
  const { kind } = accountFor({ ...capture, refundMinor: 0, attempt: { ...found, asked } });
  if (kind !== 'settle' && kind !== 'revive') return;
  if (kind === 'revive' && living !== undefined && living !== attempt)
    invoice.happens({ kind: 'overtaken', by: 'uid' }, living);
  invoice.happens({ kind: 'captured', impUid: 'imps_9', merchantUid: 'uid' }, attempt);
}

test('any sequence of orders, answers and late captures keeps what the promises rest on', () => {
  fc.assert(
    fc.property(fc.array(doings, { minLength: 1, maxLength: 40, size: 'max' }), (all) => {
      const invoice = new Invoice();
      for (const doing of all) {
        const wasPaid = invoice.state === 'paid';
        const sends = invoice.sends.length;
        doing(invoice);
        expect(
          invoice.attempts.filter(({ state }) => ['prepared', 'sent', 'unknown', 'paid', 'review'].includes(state))
            .length,
        ).toBeLessThanOrEqual(1);
        expect(invoice.isCollected()).toBe(invoice.nextAt !== null);
        if (wasPaid) expect([invoice.state, invoice.sends.length]).toEqual(['paid', sends]);
        if (invoice.state === 'paid') expect(invoice.living?.state).toBe('paid');
      }
      everySendIsAlone(invoice);
    }),
    { numRuns: 10_000 },
  );
}, 60_000);

/** Of two sends under different ids, the first was answered, or its quarantine was over (protocol §2.4). */
function everySendIsAlone({ sends, attempts }: Invoice): void {
  for (const [index, { by, at }] of sends.entries()) {
    const before = sends[index - 1];
    if (before === undefined || before.by === by) continue;
    const {
      unansweredAt,
      state,
      sends: open,
    } = attempts[before.by] ?? { unansweredAt: null, state: 'canceled', sends: 0 };
    const isOpen = unansweredAt !== null || (state === 'canceled' && open > 0);
    if (isOpen) expect(at.diff(before.at).as('seconds')).toBeGreaterThanOrEqual(QUARANTINE);
  }
}
