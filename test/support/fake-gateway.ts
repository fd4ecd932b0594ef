import type { CancelAnswer, CancelRequest, PaymentAnswer } from '../../src/billing/cancel.ts';
import type {
  BillingKeyAnswer,
  Cancellation,
  ChargeAnswer,
  ChargeRequest,
  DeclineClass,
  ListedPayment,
  ListedSchedule,
  LookUpAnswer,
  PaymentRecord,
} from '../../src/billing/charge.ts';
import type { Gateway, Listing, Readiness, Take, Window } from '../../src/gateway/gateway.ts';

/** What the fake does with the next charge of a card. Captures are what its ledger says. */
export type Behaviour =
  | 'pay'
  | 'decline'
  /** Captures, and the answer is lost. */
  | 'capture-silently'
  /** Nothing happens, and the answer is lost. */
  | 'lose'
  | 'refuse-connection'
  | 'refuse'
  | 'refuse-as-duplicate'
  | 'unauthorized'
  | 'ready'
  | 'pay-less'
  | 'pay-live';

/** What the fake does with the next cancel. Money given back is what its records say. */
export type CancelBehaviour =
  | 'cancel'
  /** Gives the money back, and the answer is lost. */
  | 'cancel-silently'
  /** Nothing happens, and the answer is lost. */
  | 'lose'
  | 'refuse'
  | 'refuse-connection'
  | 'unauthorized';

/** A gateway in memory that keeps the books: what was captured, and how often each id was posted. */
export class FakeGateway implements Gateway {
  readonly records: PaymentRecord[] = [];
  readonly posts: ChargeRequest[] = [];
  readonly behaviours = new Map<string, Behaviour[]>();
  /** The class of its plain declines. */
  declineAs: DeclineClass = 'funds';
  readiness: Readiness = { kind: 'ready', gatewayNowMs: 0 };
  lookUps: 'truthful' | 'unclear' | 'absent' = 'truthful';
  key: BillingKeyAnswer = {
    kind: 'found',
    sandbox: true,
    pgProvider: 'nice_v2',
    cardName: null,
    cardNumberMasked: null,
  };
  readonly cancels: CancelRequest[] = [];
  readonly cancellations = new Map<string, Cancellation[]>();
  /** The behaviours of the next cancels, in order; afterwards it cancels. */
  cancelBehaviours: CancelBehaviour[] = [];
  refreshed = 0;
  /** What the lists for audits do; `partial` shows what it has and breaks off. */
  lists: 'truthful' | 'unclear' | 'partial' | 'empty' = 'truthful';
  /** Payments that maedal did not ask for, as the list shows them. */
  readonly foreign: ListedPayment[] = [];
  readonly booked: ListedSchedule[] = [];

  /** The behaviours of a card's next charges, in order; afterwards it pays. */
  script(customerUid: string, ...behaviours: Behaviour[]): void {
    this.behaviours.set(customerUid, behaviours);
  }

  get captures(): readonly PaymentRecord[] {
    return this.records.filter((record) => record.status === 'paid');
  }

  async ready(options?: { readonly refresh?: boolean }): Promise<Readiness> {
    if (options?.refresh === true) this.refreshed += 1;
    return this.readiness;
  }

  async charge(request: ChargeRequest, _timeoutMs = 60_000, mayStart = () => true): Promise<ChargeAnswer> {
    if (!mayStart()) return { kind: 'not-sent', reason: 'too late to begin' };
    const behaviour = this.behaviours.get(request.customerUid)?.shift() ?? 'pay';
    if (behaviour === 'refuse-connection') return { kind: 'not-sent', reason: 'connection refused' };
    this.posts.push(request);
    return this.answer(request, behaviour);
  }

  async lookUp(merchantUid: string): Promise<LookUpAnswer> {
    if (this.lookUps === 'unclear') return { kind: 'unclear', reason: 'the gateway is down' };
    const records = this.records.filter((record) => record.merchantUid === merchantUid);
    return records.length === 0 || this.lookUps === 'absent' ? { kind: 'absent' } : { kind: 'found', records };
  }

  async payment(impUid: string): Promise<PaymentAnswer> {
    if (this.lookUps === 'unclear') return { kind: 'unclear', reason: 'the gateway is down' };
    const record = this.records.find((known) => known.impUid === impUid);
    if (record === undefined || this.lookUps === 'absent') return { kind: 'absent' };
    return { kind: 'found', record, cancellations: this.cancellations.get(impUid) ?? [] };
  }

  async cancel(request: CancelRequest, _timeoutMs = 60_000, mayStart = () => true): Promise<CancelAnswer> {
    if (!mayStart()) return { kind: 'not-sent', reason: 'too late to begin' };
    const behaviour = this.cancelBehaviours.shift() ?? 'cancel';
    if (behaviour === 'refuse-connection') return { kind: 'not-sent', reason: 'connection refused' };
    this.cancels.push(request);
    if (behaviour === 'unauthorized') return { kind: 'unauthorized', reason: 'the token was refused' };
    if (behaviour === 'lose') return { kind: 'unknown', reason: 'the connection was lost' };
    if (behaviour === 'refuse') return { kind: 'refused', reason: '취소기한이 지났습니다.' };
    const answer = this.giveBack(request);
    return behaviour === 'cancel-silently' ? { kind: 'unknown', reason: 'the connection was lost' } : answer;
  }

  /** Gives money back as the gateway does: never against a wrong checksum, never more than is left. */
  giveBack({ impUid, amount, checksum }: Omit<CancelRequest, 'reason'>): CancelAnswer {
    const index = this.records.findIndex((known) => known.impUid === impUid);
    const known = this.records[index];
    const left = known === undefined ? 0 : (known.amount?.minor ?? 0) - known.cancelMinor;
    if (known === undefined || !['paid', 'cancelled'].includes(known.status) || left === 0) {
      return { kind: 'refused', reason: '취소할 결제건이 존재하지 않습니다.' };
    }
    if (checksum.minor !== left || amount.minor > left) {
      return { kind: 'refused', reason: 'checksum과 취소가능금액이 일치하지 않습니다.' };
    }
    const history = this.cancellations.get(impUid) ?? [];
    const one = { cancellationId: `cancellation_${impUid}_${history.length + 1}`, minor: amount.minor };
    const cancelMinor = known.cancelMinor + amount.minor;
    const record = { ...known, status: 'cancelled', cancelMinor, cancellations: [...history, one] } as const;
    this.records[index] = record;
    this.cancellations.set(impUid, [...history, one]);
    return { kind: 'done', record, cancellations: [...history, one] };
  }

  async billingKey(): Promise<BillingKeyAnswer> {
    return this.key;
  }

  async payments(window: Window, take: Take<ListedPayment>): Promise<Listing> {
    const fromMs = { paid: window.from.toMillis(), cancelled: window.until.minus({ days: 90 }).toMillis() };
    const within = ({ status, paidAtMs }: PaymentRecord) =>
      (status === 'paid' || status === 'cancelled') &&
      (paidAtMs ?? 0) >= fromMs[status] &&
      (paidAtMs ?? 0) <= window.until.toMillis();
    const own = this.records.map((record) => ({ ...record, subscription: this.nameOf(record), usage: 'payment' }));
    return this.listed([...own, ...this.foreign].filter(within), take);
  }

  async schedules(window: Window & { customerUid?: string }, take: Take<ListedSchedule>): Promise<Listing> {
    const within = ({ customerUid, scheduleAtMs: at }: ListedSchedule) =>
      (window.customerUid === undefined || window.customerUid === customerUid) &&
      at >= window.from.toMillis() &&
      at <= window.until.toMillis();
    return this.listed(this.booked.filter(within), take);
  }

  async close(): Promise<void> {}

  /** Something happens at the gateway that nobody asked for now: a late capture, a flip, a cancel. */
  land(merchantUid: string, status: PaymentRecord['status']): void {
    const known = this.records.findIndex((record) => record.merchantUid === merchantUid);
    const record = this.records[known];
    // One cancel makes a payment `cancelled`; here it gives everything back.
    const cancelMinor = status === 'cancelled' ? (record?.amount?.minor ?? 0) : 0;
    if (record !== undefined) this.records[known] = { ...record, status, cancelMinor };
    else this.add(this.posted(merchantUid), status);
  }

  /** An id that was captured is captured once more: what must never happen, and what the protocol is to notice. */
  captureAgain(merchantUid: string): PaymentRecord {
    return this.arrive(merchantUid, 'paid');
  }

  /** One more record of an id, for a send whose answer was lost. */
  arrive(merchantUid: string, status: PaymentRecord['status']): PaymentRecord {
    return this.add(this.posted(merchantUid), status);
  }

  /** In pages of two, so that every audit reads several. */
  private async listed<Item>(items: readonly Item[], take: Take<Item>): Promise<Listing> {
    if (this.lists === 'unclear') return { kind: 'unclear', reason: 'the gateway is down' };
    if (this.lists === 'empty') return { kind: 'whole', count: 0 };
    for (let from = 0; from < items.length; from += 2) await take(items.slice(from, from + 2));
    if (this.lists === 'partial') return { kind: 'unclear', reason: 'a page got lost' };
    return { kind: 'whole', count: items.length };
  }

  private nameOf({ merchantUid }: PaymentRecord): string | null {
    const post = this.posts.find((request) => request.merchantUid === merchantUid);
    return post === undefined ? null : JSON.parse(post.customData).subscription;
  }

  private posted(merchantUid: string): ChargeRequest {
    const request = this.posts.find((post) => post.merchantUid === merchantUid);
    if (request === undefined) throw new Error(`${merchantUid} was never posted`);
    return request;
  }

  private answer(request: ChargeRequest, behaviour: Exclude<Behaviour, 'refuse-connection'>): ChargeAnswer {
    const decline = { class: this.declineAs, reason: '[2116]개인 월 한도금액 초과' } as const;
    switch (behaviour) {
      case 'pay':
        return { kind: 'paid', record: this.add(request, 'paid') };
      case 'pay-less':
        return { kind: 'paid', record: this.add({ ...request, amount: { ...request.amount, minor: 1 } }, 'paid') };
      case 'pay-live':
        return { kind: 'paid', record: { ...this.add(request, 'paid'), sandbox: false } };
      case 'decline':
        return { kind: 'declined', record: this.add(request, 'failed'), decline };
      case 'capture-silently':
        this.add(request, 'paid');
        return { kind: 'unknown', reason: 'the connection was lost' };
      case 'lose':
        return { kind: 'unknown', reason: 'the connection was lost' };
      case 'refuse':
        return { kind: 'refused', duplicate: false, decline };
      case 'refuse-as-duplicate':
        return {
          kind: 'refused',
          duplicate: true,
          decline: { class: 'verify', reason: '이미 주문이 이루어진 건입니다.' },
        };
      case 'unauthorized':
        return { kind: 'unauthorized', reason: 'the token was refused' };
      case 'ready':
        return { kind: 'unknown', reason: 'pending', record: this.add(request, 'ready') };
    }
  }

  private add(request: ChargeRequest, status: PaymentRecord['status']): PaymentRecord {
    const number = this.records.length + 1;
    const record: PaymentRecord = {
      impUid: `imps_${String(number).padStart(12, '0')}`,
      merchantUid: request.merchantUid,
      status,
      amount: request.amount,
      cancelMinor: 0,
      customerUid: request.customerUid,
      sandbox: true,
      decline: status === 'failed' ? { class: this.declineAs, reason: '[2116]개인 월 한도금액 초과' } : null,
      startedAtMs: number * 1_000,
      paidAtMs: status === 'paid' && this.readiness.kind === 'ready' ? this.readiness.gatewayNowMs : null,
      failedAtMs: null,
      raw: {},
    };
    this.records.push(record);
    return record;
  }
}
