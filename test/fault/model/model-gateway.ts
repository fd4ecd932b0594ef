import type { ChargeAnswer, ChargeRequest, LookUpAnswer, PaymentRecord } from '../../../src/billing/charge.ts';
import type { Readiness } from '../../../src/gateway/gateway.ts';
import { Agenda } from './agenda.ts';
import { ownerOf, type Payment, recordOf, shownRecord } from './books.ts';
import { type Chance, chanceFor } from './chance.ts';
import { fateOf } from './fates.ts';
import { type Plan, TIMEOUT_MS } from './plan.ts';
import { Delayed } from './stage.ts';

/** Who hears of what the gateway does, at the moment it does it. */
export type Witness = {
  /** `ageMs`: how long ago the sender's intent was committed. */
  posted(request: ChargeRequest, answeredAtMs: number, ageMs: number): void;
  captured(payment: Payment): void;
  /** Somebody gave all of it back in the gateway's own console. */
  givenBack(payment: Payment): void;
};

const DECLINE = { class: 'funds', reason: '한도초과' } as const;
const REPEATED = { class: 'verify', reason: '이미 결제가 이루어진 주문번호입니다.' } as const;

/** A gateway with books of its own: it reads nothing of ours but the requests. Knobs and chance come from the plan. */
export class ModelGateway {
  readonly payments: Payment[] = [];
  readonly agenda = new Agenda();
  nowMs = 0;
  /** No more faults: what is asked is answered, and what look-ups tell is true. */
  isCalm = false;
  readonly #plan: Plan;
  readonly #chance: Chance;
  readonly #lookUpChance: Chance;
  readonly #witness: Witness;
  readonly #arrived = new Set<string>();
  /** Ids of charges that were taken in and are not decided, one for each. */
  readonly #undecided: string[] = [];

  constructor(plan: Plan, witness: Witness) {
    this.#plan = plan;
    this.#witness = witness;
    this.#chance = chanceFor(plan.luck, 'gateway');
    this.#lookUpChance = chanceFor(plan.luck, 'look-ups');
  }

  /** A payment from before the world began, known to be paid. */
  remember(request: ChargeRequest, paidAtMs: number): PaymentRecord {
    const payment = this.#open(request, 'paid', paidAtMs);
    payment.paidAtMs = paidAtMs;
    return recordOf(payment);
  }

  /** Whether a request of this id that arrived may still be captured. */
  mayStillCapture(merchantUid: string): boolean {
    return this.#undecided.includes(merchantUid);
  }

  ready(refresh: boolean): Readiness {
    if (this.#has('unauthorized') && !refresh && this.#chance.hits(0.05))
      return { kind: 'refused', reason: 'the key pair was refused' };
    if (this.#has('unclear') && this.#chance.hits(0.1)) return { kind: 'unreachable', reason: 'no connection' };
    const apartMs = this.#has('clock') && this.#chance.hits(0.1) ? 600_000 : 0;
    return { kind: 'ready', gatewayNowMs: this.nowMs + apartMs };
  }

  /** One POST arrives, or does not. What is answered may take its time, or never come: then the caller's limit ends it. */
  charge(request: ChargeRequest, ageMs: number): Delayed<ChargeAnswer> {
    if (this.#has('not_sent') && this.#chance.hits(0.3))
      return new Delayed({ kind: 'not-sent', reason: 'connection refused' }, 0);
    const answer = this.#answer(request);
    this.#witness.posted(request, this.nowMs + answer.afterMs, ageMs);
    return answer;
  }

  /** Every payment of an id, the newest first, as far as look-ups show it now. `lies`: another account is asked. */
  lookUp(merchantUid: string, lies: boolean): LookUpAnswer {
    if (this.#has('unclear') && this.#lookUpChance.hits(0.15)) return { kind: 'unclear', reason: '500' };
    const records = this.payments.flatMap((payment) =>
      payment.request.merchantUid === merchantUid ? (shownRecord(payment, this.nowMs, this.isCalm) ?? []) : [],
    );
    if (records.length === 0 || (lies && !this.isCalm)) return { kind: 'absent' };
    return { kind: 'found', records: records.reverse() };
  }

  #answer(request: ChargeRequest): Delayed<ChargeAnswer> {
    if (this.#has('unauthorized') && this.#chance.hits(0.2))
      return new Delayed({ kind: 'unauthorized', reason: 'the token was refused' }, 0);
    const isRepeat = this.#refusesAtStart(request.merchantUid);
    if (isRepeat) return this.#refuseRepeat(request);
    const tookMs = this.#has('slow') ? this.#chance.pick([0, 3_000, 59_000]) : 0;
    const fate = fateOf(this.#plan, this.#chance, this.isCalm);
    if (fate !== 'lost on the way') this.#arrived.add(request.merchantUid);
    switch (fate) {
      case 'pay':
        return new Delayed(this.#capture(request), tookMs);
      case 'decline':
        return new Delayed({ kind: 'declined', record: this.#fail(request), decline: DECLINE }, tookMs);
      case 'capture, answer lost':
        this.#capture(request);
        return LOST;
      case 'decline, answer lost':
        this.#fail(request);
        return LOST;
      case 'lost on the way':
        return LOST;
      case 'server error':
        return new Delayed({ kind: 'unknown', reason: '500' }, 0);
      case 'capture late':
        this.#decideLater(request, 'a late capture', () => void this.#capture(request));
        return LOST;
      case 'decline late':
        this.agenda.at(this.#decidedAtMs(), `a late decline`, () => void this.#fail(request));
        return LOST;
      case 'refuse':
        if (this.#chance.hits(0.5)) this.#fail(request);
        return new Delayed({ kind: 'refused', duplicate: false, decline: DECLINE }, 0);
      case 'flip':
        return this.#flip(request);
      case 'pending':
        return this.#pend(request);
    }
  }

  /** Declined now, paid later. */
  #flip(request: ChargeRequest): Delayed<ChargeAnswer> {
    const record = this.#fail(request);
    const payment = this.payments.at(-1);
    this.agenda.at(this.#between(1_000, this.#plan.latestFlipMs), 'a decline turns paid', () => {
      if (payment !== undefined && !this.#refusesAtCapture(request.merchantUid)) this.#becomes(payment, 'paid');
    });
    return new Delayed({ kind: 'declined', record, decline: DECLINE }, 0);
  }

  /** `ready` now, decided later. */
  #pend(request: ChargeRequest): Delayed<ChargeAnswer> {
    const payment = this.#open(request, 'ready', this.nowMs);
    const isPaid = this.#chance.hits(0.6);
    this.#decideLater(request, 'a pending payment is decided', () =>
      this.#becomes(payment, isPaid && !this.#refusesAtCapture(request.merchantUid) ? 'paid' : 'failed'),
    );
    return new Delayed({ kind: 'unknown', reason: 'pending', record: recordOf(payment) }, 0);
  }

  #decideLater({ merchantUid }: ChargeRequest, what: string, decide: () => void): void {
    this.#undecided.push(merchantUid);
    this.agenda.at(this.#decidedAtMs(), what, () => {
      this.#undecided.splice(this.#undecided.indexOf(merchantUid), 1);
      decide();
    });
  }

  #refuseRepeat(request: ChargeRequest): Delayed<ChargeAnswer> {
    if (this.#plan.refusalLeavesRecord) this.#fail(request);
    return new Delayed({ kind: 'refused', duplicate: true, decline: REPEATED }, 0);
  }

  #capture(request: ChargeRequest): ChargeAnswer {
    if (this.#refusesAtCapture(request.merchantUid)) return this.#refuseRepeat(request).value;
    const payment = this.#open(request, 'ready', this.nowMs);
    this.#becomes(payment, 'paid');
    return { kind: 'paid', record: recordOf(payment) };
  }

  #fail(request: ChargeRequest): PaymentRecord {
    const payment = this.#open(request, 'ready', this.nowMs);
    this.#becomes(payment, 'failed');
    return recordOf(payment);
  }

  #open(request: ChargeRequest, status: Payment['status'], startedAtMs: number): Payment {
    const impUid = `imps_${String(this.payments.length + 1).padStart(12, '0')}`;
    const shown = [{ fromMs: status === 'paid' ? 0 : this.nowMs + this.#lagMs(), status }];
    const owner = ownerOf(request);
    const payment = { impUid, request, owner, status, startedAtMs, paidAtMs: null, failedAtMs: null, shown };
    this.payments.push(payment);
    return payment;
  }

  #becomes(payment: Payment, status: 'paid' | 'failed'): void {
    if (status === 'paid') payment.paidAtMs = this.nowMs;
    else payment.failedAtMs = this.nowMs;
    const since = payment.shown.at(-1);
    if (since?.status === 'ready' && payment.startedAtMs === this.nowMs) payment.shown.length = 0;
    this.#turns(payment, status);
    if (status === 'failed') return;
    this.#witness.captured(payment);
    if (this.#has('given_back') && this.#chance.hits(0.3)) this.#giveBackLater(payment);
  }

  /** Look-ups tell of it in the order in which it happened. */
  #turns(payment: Payment, status: 'paid' | 'failed' | 'cancelled'): void {
    payment.status = status;
    const since = payment.shown.at(-1);
    payment.shown.push({ fromMs: Math.max(since?.fromMs ?? 0, this.nowMs + this.#lagMs()), status });
  }

  /** By somebody in the gateway's console, however soon: before the answer was recorded, or days after. */
  #giveBackLater(payment: Payment): void {
    const atMs = this.nowMs + this.#chance.pick(GIVEN_BACK_AFTER_MS);
    this.agenda.at(atMs, `somebody gives ${payment.impUid} back`, () => {
      this.#turns(payment, 'cancelled');
      this.#witness.givenBack(payment);
    });
  }

  #refusesAtStart(merchantUid: string): boolean {
    const { refuses } = this.#plan.dedupe;
    if (refuses === 'used') return this.#arrived.has(merchantUid);
    return refuses === 'paid' && this.#isPaid(merchantUid);
  }

  #refusesAtCapture(merchantUid: string): boolean {
    return this.#plan.dedupe.checked === 'at capture' && this.#isPaid(merchantUid);
  }

  /** One that was given back has used its id as well. */
  #isPaid(merchantUid: string): boolean {
    return this.payments.some(({ request, paidAtMs }) => request.merchantUid === merchantUid && paidAtMs !== null);
  }

  #lagMs(): number {
    return this.#has('lag') && this.#chance.hits(0.5) ? this.#chance.below(this.#plan.longestLagMs) : 0;
  }

  #decidedAtMs(): number {
    return this.#between(Math.max(1_000, this.#plan.earliestCaptureMs), this.#plan.latestCaptureMs);
  }

  #between(earliestMs: number, latestMs: number): number {
    return this.nowMs + earliestMs + this.#chance.below(latestMs - earliestMs);
  }

  #has(fault: Parameters<Plan['faults']['has']>[0]): boolean {
    return !this.isCalm && this.#plan.faults.has(fault);
  }
}

const GIVEN_BACK_AFTER_MS = [0, 1_000, 60_000, 1_200_000, 7_200_000, 259_200_000];
const LOST = new Delayed<ChargeAnswer>({ kind: 'unknown', reason: 'the connection was lost' }, TIMEOUT_MS);
