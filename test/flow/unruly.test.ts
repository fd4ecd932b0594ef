import { expect, test } from '@jest/globals';
import type { DunningPolicy, LaterInvoices } from '../../src/billing/policy.ts';
import { CATCH_UP } from '../../src/billing/subscription.ts';
import { auditIfDue } from '../../src/scheduler/audit-turn.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { type Chance, chanceFor } from '../fault/model/chance.ts';
import { heldLook } from '../support/held-look.ts';
import { seedIds } from '../support/seeded-ids.ts';
import { doubles, leftOver, untimely } from '../support/unruly-books.ts';
import { UnrulyGateway } from '../support/unruly-gateway.ts';
import { UnrulyPeople } from '../support/unruly-people.ts';
import { brokenRules, tooClose } from '../support/unruly-rules.ts';
import { newWorld, type World } from '../support/world.ts';

/** Two of one customer each; the first six are charged every day, the others every week, and every fifth twice in all. */
const SUBSCRIPTIONS = Array.from({ length: 20 }, (_, index) => ({
  externalId: `sub-${index}`,
  customer: `customer-${Math.floor(index / 2)}`,
  interval: index < 6 ? ('day' as const) : ('week' as const),
  endsAfter: index % 5 === 4 ? 2 : null,
}));
const ENDS: readonly Required<Pick<DunningPolicy, 'end' | 'retryAfterDays'>>[] = [
  { end: 'unpaid', retryAfterDays: [] },
  { end: 'pause', retryAfterDays: [1] },
  { end: 'cancel', retryAfterDays: [1, 2] },
  { end: 'write_off', retryAfterDays: [1] },
  { end: 'unpaid', retryAfterDays: [1, 2] },
];
const LATER: readonly LaterInvoices[] = ['hold', 'accumulate'];
const WORLDS = LATER.flatMap((later) => ENDS.map((how) => ({ ...how, later }))).map((how, seed) => ({
  ...{ ...how, seed },
  catchUp: CATCH_UP[seed % CATCH_UP.length] ?? 'latest',
  assumed: seed % 2 === 0 ? ('G1' as const) : ('G2' as const),
}));

// Two hundred subscriptions in ten worlds: people order what they like, while the gateway does what it likes.
test.each(WORLDS)(
  'whatever people order and the gateway does, every subscription is in order again after a quiet day ($end, $later, catch up: $catchUp, seed $seed)',
  async ({ seed, end, later, retryAfterDays, catchUp, assumed }) => {
    const chance = chanceFor(seed, 'unruly');
    const world = await newWorld(catchUp);
    try {
      await seedIds(world.database.db, seed);
      const { store, policyVersions, sandbox } = world.scheduler;
      const refundDuplicates = chance.pick(['auto', 'propose'] as const);
      Object.assign(world.scheduler, { refundDuplicates, store: heldLook(store, policyVersions, sandbox) });
      await follow(world, { ...POLICY, steps: chance.pick(STEPS), end, later, retryAfterDays });
      await world.subscribe({ externalId: 'canary' });
      await world.run();
      for (const subscription of SUBSCRIPTIONS) await world.subscribe(subscription);
      const names = SUBSCRIPTIONS.map(({ externalId }) => externalId);
      const people = new UnrulyPeople(world, chance, names);
      const gateway = new UnrulyGateway(world, chance, assumed, () => people.orderSomething());
      expect(await new Life(world, chance, people, gateway).live()).toEqual([]);
      // A look that passes over something is refused, which a pass outlives.
      expect(world.events.filter((event) => event.kind === 'work.failed' && event.where === 'look')).toEqual([]);
    } finally {
      await world.end();
    }
  },
  240_000,
);

/** A life in a world: unruly days, and quiet ones after which everything is to be in order. */
class Life {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #people: UnrulyPeople;
  readonly #gateway: UnrulyGateway;
  readonly #wrong = new Set<string>();

  constructor(world: World, chance: Chance, people: UnrulyPeople, gateway: UnrulyGateway) {
    this.#world = world;
    this.#chance = chance;
    this.#people = people;
    this.#gateway = gateway;
  }

  /** What was not in order. */
  async live(): Promise<string[]> {
    for (let round = 0; round < 3; round += 1) {
      await this.#unrulyDays();
      await this.#quietDay('calm');
    }
    await this.#everybodyPays();
    await this.#quietDay('kind');
    await this.#quietDay('kind');
    this.#note(await leftOver(this.#world));
    this.#note(await untimely(this.#world));
    return [...this.#wrong];
  }

  async #unrulyDays(): Promise<void> {
    this.#gateway.becomes('unruly');
    for (let passes = 0; passes < 10; passes += 1) {
      await this.#pass();
      for (let orders = this.#chance.below(12); orders > 0; orders -= 1) await this.#people.orderSomething();
      await this.#world.advance({ minutes: this.#chance.pick([1, 2, 10, 30, 60, 360, 720, 720, 4_000]) });
    }
  }

  async #quietDay(mood: 'calm' | 'kind'): Promise<void> {
    this.#gateway.becomes(mood);
    await this.#people.letGo();
    for (const minutes of [1, 10, 60, 360, 720, 240, 60, 1, 1, 1]) {
      await this.#world.advance({ minutes });
      await this.#pass();
    }
    await this.#world.run();
    this.#note(await brokenRules(this.#world, (name) => AGREED.get(name) ?? null));
    this.#note(await tooClose(this.#world));
  }

  /** Every card is good for it: what is tried again is paid within a day. */
  async #everybodyPays(): Promise<void> {
    this.#gateway.becomes('kind');
    const promised = await this.#people.retryAll();
    await this.#quietDay('kind');
    const { db } = this.#world.database;
    const invoices = await db.invoice.findMany({ where: { id: { in: promised } }, include: { subscription: true } });
    for (const { state, reason, period_key: period, subscription } of invoices)
      if (state !== 'paid')
        this.#note([`${subscription.external_id} ${period} could be paid, and is ${state} (${reason})`]);
  }

  async #pass(): Promise<void> {
    this.#gateway.land();
    await this.#world.run();
    await lateWatch(this.#world.scheduler);
    await refundDue(this.#world.refunder);
    await auditIfDue(this.#world.audits, this.#world.now.minus({ years: 1 }));
    this.#note(doubles(this.#world.gateway));
  }

  #note(wrong: readonly string[]): void {
    for (const what of wrong) this.#wrong.add(what);
  }
}

const AGREED = new Map(SUBSCRIPTIONS.map(({ externalId, endsAfter }) => [externalId, endsAfter]));
const POLICY = {
  minGapHours: 24,
  waitForCardDays: 1,
  classes: { card: { retryAfterDays: [], card: 'other' } },
} as const;
const STEPS: readonly NonNullable<DunningPolicy['steps']>[] = [
  [
    { name: 'told', afterDays: 0 },
    { name: 'warned', afterDays: 1, access: 'grace' },
    { name: 'locked', afterDays: 2, access: 'suspended' },
  ],
  [
    { name: 'told', afterDays: 0, access: 'full' },
    { name: 'warned', afterDays: 2, access: 'grace' },
  ],
];

async function follow(world: World, policy: DunningPolicy): Promise<void> {
  await keepPolicyVersion(world.database.db, 'unruly', policy);
  for (const flow of [world.worker, world.scheduler]) Object.assign(flow, { policyVersions: { default: 'unruly' } });
}
