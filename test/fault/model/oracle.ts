import type { ChargeRequest } from '../../../src/billing/charge.ts';
import type { LeasedAttempt } from '../../../src/store/lease.ts';
import { ownerOf, type Payment } from './books.ts';
import type { Plan } from './plan.ts';
import type { Tables } from './store/tables.ts';

/** A rule of the protocol (§3.1) that did not hold, in words. */
export type Violation = { readonly rule: string; readonly atMs: number; readonly says: string };

/** A subscription as the oracle knows it, apart from our rows. */
export type Agreement = { readonly firstDueAtMs: number; readonly amount: number };

const ZOMBIE_MS = 90_000;
const CHARGED: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);

/**
 * Judges what happens at the gateway while it happens, from the gateway's own books. Of ours it reads what was promised
 * to stand before a POST: the committed intents, counted as they were committed, and what they froze.
 */
export class Oracle {
  readonly violations: Violation[] = [];
  readonly #plan: Plan;
  readonly #tables: Tables;
  readonly #agreements: ReadonlyMap<string, Agreement>;
  readonly #leases = new Set<string>();
  readonly #intents = new Map<string, { count: number; atMs: number }>();
  readonly #posts = new Map<string, number>();
  readonly #inFlight = new Map<string, number>();
  readonly #captures = new Map<string, Payment[]>();
  readonly #canceledAtMs = new Map<string, number>();

  constructor(plan: Plan, tables: Tables, agreements: ReadonlyMap<string, Agreement>) {
    this.#plan = plan;
    this.#tables = tables;
    this.#agreements = agreements;
  }

  /** Somebody was told that he has an attempt, under a fence that nobody else may have had (K4). */
  leased({ merchantUid, fence }: Pick<LeasedAttempt, 'merchantUid' | 'fence'>): void {
    const lease = `${merchantUid} under fence ${fence}`;
    if (this.#leases.has(lease)) this.#tell('K4', `two have ${lease}`);
    this.#leases.add(lease);
  }

  /** An intent was committed, acknowledged or not: then nothing that people had done before stood against it. */
  intended(merchantUid: string): void {
    const { control, attempts, invoices, subscriptions } = this.#tables;
    if (!control.sending_enabled) this.#tell('I9', `${merchantUid} was intended while sending was switched off`);
    for (const { invoice_id } of attempts.where((row) => row.merchant_uid === merchantUid)) {
      const { status } = subscriptions.at(invoices.at(invoice_id).subscription_id);
      if (!CHARGED.has(status)) this.#tell('I9', `${merchantUid} was intended for what is ${status}`);
    }
    const known = this.#intents.get(merchantUid);
    this.#intents.set(merchantUid, { count: (known?.count ?? 0) + 1, atMs: this.#tables.nowMs });
  }

  /**
   * An attempt was given up for dead as if each of its sends were answered: then none may still be captured, or another
   * id is sent beside it (protocol §2.6, M21). What a restored database forgot to have sent, it cannot wait for.
   */
  declined(merchantUid: string, mayStillBeCaptured: boolean): void {
    if (mayStillBeCaptured && !this.#plan.faults.has('restore'))
      this.#tell('M21', `${merchantUid} was declined, and may still be captured`);
  }

  /** An attempt became paid: then what it is paid by was written down, whoever had the attempt (K5). */
  settled(merchantUid: string, impUid: string | undefined): void {
    if (this.#tables.observations.get(impUid ?? '') === undefined)
      this.#tell('K5', `${merchantUid} is paid by ${impUid}, and nobody wrote down that it was captured`);
  }

  canceled(subscription: string): void {
    if (!this.#canceledAtMs.has(subscription)) this.#canceledAtMs.set(subscription, this.#tables.nowMs);
  }

  /** An older backup was put back: what people did since is undone, and what was sent since is known to nobody. */
  restored(): void {
    this.#leases.clear();
    this.#canceledAtMs.clear();
    this.#inFlight.clear();
  }

  /** A request reached the gateway. */
  posted(request: ChargeRequest, answeredAtMs: number, ageMs: number): void {
    const { merchantUid } = request;
    const owner = ownerOf(request);
    const posts = (this.#posts.get(merchantUid) ?? 0) + 1;
    this.#posts.set(merchantUid, posts);
    const intent = this.#intents.get(merchantUid);
    if (posts > (intent?.count ?? 0)) this.#tell('I5', `${merchantUid} was posted ${posts} times, intended less often`);
    // A process paused between its guard and its write sends whenever it wakes: that rests on the gateway alone (W8).
    if (ageMs <= ZOMBIE_MS) this.#flies(owner, answeredAtMs);
    this.#judgeRequest(request, owner);
  }

  #flies(owner: string, answeredAtMs: number): void {
    const until = this.#inFlight.get(owner) ?? 0;
    if (until > this.#tables.nowMs) this.#tell('I6', `two requests in flight for ${owner}`);
    this.#inFlight.set(owner, Math.max(until, answeredAtMs));
  }

  captured(payment: Payment): void {
    const { owner } = payment;
    const captures = this.#captures.get(owner) ?? [];
    captures.push(payment);
    this.#captures.set(owner, captures);
    // What was given back in full by then is no charge any more.
    const standing = captures.filter(({ status }) => status !== 'cancelled');
    if (standing.length > 1 && this.#plan.assumed !== 'none') {
      this.#tell('I1', `${owner} was captured ${standing.length} times: ${standing.map(nameOf).join(' and ')}`);
    }
  }

  capturesOf(owner: string): readonly Payment[] {
    return this.#captures.get(owner) ?? [];
  }

  get owners(): readonly string[] {
    return [...this.#captures.keys()];
  }

  tell(rule: string, says: string): void {
    this.#tell(rule, says);
  }

  #judgeRequest({ amount, merchantUid, customerUid }: ChargeRequest, owner: string): void {
    const [subscription = '', period = ''] = owner.split(' ');
    const agreement = this.#agreements.get(subscription);
    if (agreement === undefined) return;
    const { nowMs } = this.#tables;
    const [attempt] = this.#tables.attempts.where((row) => row.merchant_uid === merchantUid && row.send_count > 0);
    if (attempt !== undefined && (attempt.amount !== amount.minor || attempt.customer_uid !== customerUid))
      this.#tell('I8', `${merchantUid} asks for ${amount.minor} of ${customerUid}, not what was frozen`);
    if (amount.minor !== agreement.amount && !this.#plan.faults.has('operator'))
      this.#tell('I8', `${owner} is charged ${amount.minor} instead of ${agreement.amount}`);
    const dueAtMs = Date.parse(`${period}T${new Date(agreement.firstDueAtMs).toISOString().slice(11)}`);
    if (nowMs < dueAtMs) this.#tell('I9', `${owner} is charged before it is due`);
    const canceledAtMs = this.#canceledAtMs.get(subscription);
    const intent = this.#intents.get(merchantUid);
    if (canceledAtMs !== undefined && intent !== undefined && intent.atMs > canceledAtMs)
      this.#tell('I9', `${owner} was intended after ${subscription} had been canceled`);
  }

  #tell(rule: string, says: string): void {
    this.violations.push({ rule, atMs: this.#tables.nowMs, says });
  }
}

function nameOf({ impUid, request, paidAtMs }: Payment): string {
  return `${impUid} (${request.merchantUid.slice(-2)}, at ${paidAtMs})`;
}
