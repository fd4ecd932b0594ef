import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../billing/errors.ts';
import { type Money, parseMajor } from '../../billing/money.ts';
import type { Terms } from '../../billing/subscription-order.ts';
import { didYouMean } from '../../nearest-name.ts';
import { orderTerms } from '../change-plan.ts';
import type { OrderDeps } from '../order-subscription.ts';
import { REASON } from './body.ts';
import type { NewSubscriptionDeps } from './new-subscription.ts';
import { orders } from './subscription-orders.ts';

/**
 * `POST /v1/subscriptions/:id/change-plan`: `{"plan": …}`, or a price of its own, `{"amount": …, "name": …}`, in major units
 * as written. From the next period on.
 */
export function planChangeRoute(app: FastifyInstance, deps: OrderDeps & NewSubscriptionDeps): void {
  orders(app, deps)('change-plan', Body, (id, wish, said) =>
    orderTerms(deps, id, (currency) => termsOf(wish, deps.imports.plans, currency), said),
  );
}

type Wish = Omit<z.output<typeof Body>, 'reason'>;

/** Throws InputError for a plan that is none, for an amount that is none, and where nothing is wished. */
function termsOf(
  { plan, amount, name }: Wish,
  plans: NewSubscriptionDeps['imports']['plans'],
  currency: string,
): Terms {
  if (plan === undefined && amount === undefined && name === undefined)
    throw new InputError('nothing is to be changed', 'name a plan, an amount or a name');
  const own = {
    ...(amount === undefined ? {} : { price: priceOf(String(amount), currency) }),
    ...(name === undefined ? {} : { name }),
  };
  if (plan === undefined) return own;
  const known = Object.hasOwn(plans, plan) ? plans[plan] : undefined;
  if (known === undefined)
    throw new InputError(
      `'${plan}' is not a plan${didYouMean(plan, Object.keys(plans))}`,
      'see `plans` in the configuration',
    );
  const { interval, intervalCount, policy } = known;
  return { plan, name: known.name, price: known.amount, policy, every: { interval, intervalCount }, ...own };
}

function priceOf(text: string, currency: string): Money {
  const price = parseMajor(text, currency);
  if (price.minor > 0) return price;
  throw new InputError(`'${text}' is no price`, 'write an amount above zero');
}

const Body = z.strictObject({
  plan: z.string().min(1).max(200).optional(),
  amount: z.union([z.string().max(40), z.number()]).optional(),
  name: z
    .string()
    .trim()
    .min(1)
    .max(40)
    .refine((text) => !/\p{Cc}/u.test(text), 'it holds a control character')
    .optional(),
  ...REASON,
});
