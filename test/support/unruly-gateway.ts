import type { ChargeAnswer, ChargeRequest } from '../../src/billing/charge.ts';
import type { Chance } from '../fault/model/chance.ts';
import type { World } from './world.ts';

/** Which of the two holds that never twice rests on: a paid id is not captured again, or nothing lands past the horizon. */
export type Assumed = 'G1' | 'G2';

/** What a gateway does with a charge when it does as it likes. */
const UNRULY = [
  ...['pay', 'pay', 'pay', 'decline', 'decline', 'decline', 'decline', 'lose', 'lose', 'late capture', 'late capture'],
  ...['late decline', 'late decline', 'capture-silently', 'refuse', 'ready', 'refuse-connection'],
] as const;

const WAYS = { unruly: UNRULY, calm: ['pay', 'decline', 'decline'], kind: ['pay'] } as const;

/** Has the gateway of a world answer late, wrongly or not at all, until it is told to be calm. */
export class UnrulyGateway {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #assumed: Assumed;
  readonly #meanwhile: () => Promise<void>;
  #landing: { readonly atMs: number; readonly land: () => void }[] = [];
  #mood: 'unruly' | 'calm' | 'kind' = 'unruly';

  /** `meanwhile` happens now and then between a charge and its answer. */
  constructor(world: World, chance: Chance, assumed: Assumed, meanwhile: () => Promise<void>) {
    this.#world = world;
    this.#meanwhile = meanwhile;
    this.#chance = chance;
    this.#assumed = assumed;
    const { gateway } = world;
    const { charge, lookUp } = gateway;
    gateway.charge = (request) => this.#charge(request, () => charge.call(gateway, request));
    gateway.lookUp = async (uid) =>
      this.#mood === 'unruly' && chance.hits(0.1) ? { kind: 'unclear', reason: 'down' } : lookUp.call(gateway, uid);
  }

  /** From now on it does as it likes, answers everything (`calm`), or charges every card (`kind`); what is to land lands. */
  becomes(mood: 'unruly' | 'calm' | 'kind'): void {
    this.#mood = mood;
  }

  /** Whatever is to land by now does. */
  land(): void {
    const nowMs = this.#world.now.toMillis();
    const due = this.#landing.filter(({ atMs }) => atMs <= nowMs);
    this.#landing = this.#landing.filter(({ atMs }) => atMs > nowMs);
    for (const { land } of due) land();
  }

  async #charge(request: ChargeRequest, answer: () => Promise<ChargeAnswer>): Promise<ChargeAnswer> {
    const { gateway } = this.#world;
    const { merchantUid, customerUid } = request;
    if (this.#isRepeated(merchantUid)) {
      gateway.script(customerUid, 'refuse-as-duplicate');
      return answer();
    }
    const way = this.#chance.pick(WAYS[this.#mood]);
    const isLate = way === 'late capture' || way === 'late decline';
    gateway.script(customerUid, isLate ? 'lose' : way);
    const answered = await answer();
    if (isLate) this.#later(merchantUid, way === 'late capture' ? 'paid' : 'failed');
    if (way === 'ready') this.#settleLater(merchantUid);
    if (this.#mood === 'unruly' && this.#chance.hits(0.2)) await this.#meanwhile();
    return this.#classed(answered);
  }

  /** Declined for any reason: of the payer's account, for good, or for the merchant's own. */
  #classed(answer: ChargeAnswer): ChargeAnswer {
    if (answer.kind !== 'declined') return answer;
    const name = this.#chance.pick(['funds', 'funds', 'card', 'config'] as const);
    return { ...answer, record: { ...answer.record, decline: { class: name, reason: name } } };
  }

  #isRepeated(merchantUid: string): boolean {
    return this.#assumed === 'G1' && this.#world.gateway.captures.some((record) => record.merchantUid === merchantUid);
  }

  #later(merchantUid: string, status: 'paid' | 'failed'): void {
    const minutes = this.#assumed === 'G1' && this.#chance.hits(0.5) ? 22 * 60 : 55;
    this.#landing.push({
      atMs: this.#world.now.toMillis() + this.#chance.next() * minutes * 60_000,
      land: () => {
        if (status === 'failed' || !this.#isRepeated(merchantUid)) this.#world.gateway.arrive(merchantUid, status);
      },
    });
  }

  #settleLater(merchantUid: string): void {
    const { gateway, now } = this.#world;
    const pending = gateway.records.findLast((record) => record.merchantUid === merchantUid);
    const status = this.#chance.pick(['paid', 'failed'] as const);
    const land = () => {
      const index = gateway.records.findIndex((record) => record.impUid === pending?.impUid);
      if (pending === undefined || (status === 'paid' && this.#isRepeated(merchantUid))) return;
      gateway.records[index] = { ...pending, status, paidAtMs: status === 'paid' ? this.#world.now.toMillis() : null };
    };
    this.#landing.push({ atMs: now.toMillis() + this.#chance.next() * 40 * 60_000, land });
  }
}
