import { FenceError, InputError } from '../../src/billing/errors.ts';
import { type InvoiceId, parseInvoiceId } from '../../src/billing/ids.ts';
import { judge } from '../../src/billing/intervention.ts';
import type { SubscriptionOrder } from '../../src/billing/subscription-order.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderTerms } from '../../src/operator/change-plan.ts';
import { findStanding, orderIntervention } from '../../src/operator/intervene.ts';
import { markPaid } from '../../src/operator/mark-paid.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { refundInvoice } from '../../src/operator/refund.ts';
import { stopSending } from '../../src/store/control.ts';
import { resumeSending } from '../../src/store/sending-alarms.ts';
import type { Chance } from '../fault/model/chance.ts';
import { keptOf } from './unruly-books.ts';
import { CHANNEL, FINGERPRINT, type World } from './world.ts';

const SAID = { actor: 'cli:kim', reason: 'somebody said so' };

/** People who order whatever comes to their mind; what is refused is refused. */
export class UnrulyPeople {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #subscriptions: readonly string[];

  constructor(world: World, chance: Chance, subscriptions: readonly string[]) {
    this.#world = world;
    this.#chance = chance;
    this.#subscriptions = subscriptions;
  }

  /** One thing that somebody does. */
  async orderSomething(): Promise<void> {
    const externalId = this.#chance.pick(this.#subscriptions);
    await unlessRefused(() => this.#chance.pick(this.#aboutAll(externalId))());
  }

  /** Charges go again, whatever they cost. */
  async letGo(): Promise<void> {
    Object.assign(this.#world.worker, { maxAmountMinor: () => null });
    await resumeSending(this.#world.database.db, SAID);
  }

  /** Has what is declined or given up tried again, each by itself or by another card. Returns what may be charged at once. */
  async retryAll(): Promise<InvoiceId[]> {
    const { db } = this.#world.database;
    const owed = { state: { in: ['retrying', 'uncollectible'] }, spaced: false };
    const invoices = await db.invoice.findMany({ where: owed, include: { subscription: true } });
    const promised: InvoiceId[] = [];
    for (const { id: raw, reason, subscription } of invoices) {
      const id = parseInvoiceId(raw);
      const { standing } = await findStanding(this.#deps(), id);
      if (reason === 'written_off' || judge('retry', standing).kind !== 'change') continue;
      promised.push(id);
      const externalId = subscription.external_id;
      if (this.#chance.hits(0.5)) await unlessRefused(() => orderIntervention(this.#deps(), id, 'retry', SAID));
      else await this.#giveCard(externalId, true);
    }
    return promised;
  }

  #aboutAll(externalId: string): readonly (() => Promise<unknown>)[] {
    const about = (order: SubscriptionOrder) => () => orderSubscription(this.#deps(), externalId, order, SAID);
    const of = (what: (id: InvoiceId) => Promise<unknown>) => () => this.#ofInvoice(externalId, what);
    const order = (what: 'retry' | 'release' | 'void') => of((id) => orderIntervention(this.#deps(), id, what, SAID));
    const goOn = [about({ kind: 'resume', anchor: 'keep' }), about({ kind: 'resume', anchor: 'new' })];
    return [
      ...[about({ kind: 'pause' }), ...goOn, ...goOn, about({ kind: 'skip' }), () => this.#changePrice(externalId)],
      ...[
        this.#rarely(about({ kind: 'cancel', at: 'now' })),
        this.#rarely(about({ kind: 'cancel', at: 'period_end' })),
      ],
      ...[() => this.#giveCard(externalId), () => this.#giveCard(externalId)],
      ...[order('retry'), order('retry'), order('release'), order('release'), this.#rarely(order('void'))],
      ...[of((id) => refundInvoice(this.#deps(), id, { amount: null, impUid: null, ...SAID }))],
      ...[of((id) => this.#markPaid(externalId, id)), this.#rarely(async () => this.#giveBack(externalId))],
      ...this.#aboutEverybody(),
    ];
  }

  #aboutEverybody(): readonly (() => Promise<unknown>)[] {
    const { worker, database } = this.#world;
    return [
      this.#rarely(() => stopSending(database.db, SAID)),
      () => resumeSending(database.db, SAID),
      this.#rarely(async () => Object.assign(worker, { maxAmountMinor: () => 100 })),
      async () => Object.assign(worker, { maxAmountMinor: () => null }),
    ];
  }

  #rarely(doing: () => Promise<unknown>): () => Promise<unknown> {
    return async () => (this.#chance.hits(0.3) ? doing() : null);
  }

  async #ofInvoice(externalId: string, what: (id: InvoiceId) => Promise<unknown>): Promise<void> {
    const { db } = this.#world.database;
    const where = { subscription: { external_id: externalId } };
    const newest = await db.invoice.findMany({ where, orderBy: { period_start: 'desc' }, take: 4 });
    if (newest.length > 0) await what(parseInvoiceId(this.#chance.pick(newest).id));
  }

  /** The same `customer_uid` with another card behind it, or another one, which may be known already. */
  #giveCard(externalId: string, registered?: boolean): Promise<unknown> {
    const uid = this.#chance.hits(0.5) ? `card of ${externalId}` : `card ${this.#chance.below(1_000)} of ${externalId}`;
    return unlessRefused(() => orderCardChange(this.#deps(), externalId, { customerUid: uid, registered }, SAID));
  }

  #changePrice(externalId: string): Promise<unknown> {
    const price = { minor: 1_000 * (1 + this.#chance.below(9)), currency: this.#chance.hits(0.9) ? 'KRW' : 'USD' };
    return orderTerms(this.#deps(), externalId, () => ({ price }), SAID);
  }

  async #markPaid(externalId: string, id: InvoiceId): Promise<void> {
    const [kept] = this.#kept(externalId);
    await markPaid(this.#deps(), id, kept ?? 'imps_none', SAID);
  }

  /** Somebody gives a payment back in the gateway's own console. */
  #giveBack(externalId: string): void {
    const { records } = this.#world.gateway;
    const kept = this.#kept(externalId);
    const index = records.findLastIndex(({ impUid }) => kept.includes(impUid));
    const record = records[index];
    if (record !== undefined)
      records[index] = { ...record, status: 'cancelled', cancelMinor: record.amount?.minor ?? 0 };
  }

  #kept(externalId: string): readonly string[] {
    return [...keptOf(this.#world.gateway)].flatMap(([period, kept]) =>
      period.startsWith(`${externalId} `) ? kept : [],
    );
  }

  #deps() {
    const { database, gateway, scheduler } = this.#world;
    const channel = () => CHANNEL;
    const own = { fingerprint: FINGERPRINT, versions: scheduler.policyVersions, needsAdoption: false, sandbox: true };
    return { db: database.db, gateway, channel, ...own };
  }
}

async function unlessRefused(doing: () => Promise<unknown>): Promise<void> {
  try {
    await doing();
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FenceError)) throw error;
  }
}
