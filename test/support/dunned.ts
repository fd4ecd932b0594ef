import type { DunningPolicy } from '../../src/billing/policy.ts';
import type { SubscriptionOrder } from '../../src/billing/subscription-order.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { CHANNEL, FINGERPRINT, type World } from './world.ts';

/** Who orders, and why, where a test does not care. */
export const SAID = { actor: 'api', reason: 'by the API' };

/** A policy that gives an invoice up at its first decline, and holds the later ones. */
export const GIVES_UP: DunningPolicy = {
  ...{ retryAfterDays: [], minGapHours: 24, classes: {} },
  ...{ end: 'unpaid', later: 'hold' },
};

/** What a test of dunning does to the world of the moment, and asks of it. */
export function dunned(world: () => World) {
  const follow = async (policy: DunningPolicy) => {
    await keepPolicyVersion(world().database.db, 'owing', policy);
    Object.assign(world().worker, { policyVersions: { default: 'owing' } });
    Object.assign(world().scheduler, { policyVersions: { default: 'owing' } });
  };
  const deps = () => {
    const channel = () => ({ ...CHANNEL, declinesAreFinal: true });
    return { db: world().database.db, fingerprint: FINGERPRINT, versions: { default: 'test' }, channel };
  };
  const passes = async (count: number, step: { readonly days: number } | { readonly minutes: number }) => {
    for (let pass = 0; pass < count; pass += 1) {
      await world().advance(step);
      await world().run();
    }
  };
  return {
    /** From now on every subscription goes by this policy. */
    follow,
    /** A subscription under a policy whose first charges end so. */
    owing: async (policy: DunningPolicy, ...answers: 'decline'[]) => {
      await follow(policy);
      const id = await world().subscribe();
      world().gateway.script(`card of ${id}`, ...answers);
      await world().run();
      return id;
    },
    /** For orders. */
    deps,
    order: (id: string, wish: SubscriptionOrder) => orderSubscription(deps(), id, wish, SAID),
    row: (id: string) => world().database.db.subscription.findUniqueOrThrow({ where: { external_id: id } }),
    days: (count: number) => passes(count, { days: 1 }),
    minutes: (count: number) => passes(count, { minutes: 1 }),
  };
}
