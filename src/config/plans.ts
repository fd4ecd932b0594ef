import { parseMajor } from '../billing/money.ts';
import { didYouMean } from '../nearest-name.ts';
import type { Limits, Named, Plan, Policy } from './config.ts';
import { named } from './named.ts';
import type { FileConfig } from './schema.ts';

/** Every plan with its price in minor units. Adds to `problems` what does not fit the policies and limits beside it. */
export function resolvePlans(
  file: FileConfig['plans'],
  { policies, limits }: { readonly policies: Named<Policy>; readonly limits: Limits },
  problems: string[],
): Named<Plan> {
  return named(
    Object.entries(file).map(([name, { amount: major, maxAmount: ceiling = major, currency, ...plan }]) => {
      const amount = parseMajor(String(major), currency);
      const ceilingMinor = parseMajor(String(ceiling), currency).minor;
      const maxMinor = limits.maxAmount?.[currency];
      if (policies[plan.policy] === undefined) {
        const suggestion = didYouMean(plan.policy, Object.keys(policies));
        problems.push(`plans.${name}.policy is '${plan.policy}', which is not under dunning${suggestion}`);
      }
      if (maxMinor !== undefined && amount.minor > maxMinor) {
        problems.push(
          `plans.${name}.amount is ${major}: more than limits.maxAmount.${currency}, ${maxMinor} minor units`,
        );
      }
      if (maxMinor !== undefined && ceilingMinor > maxMinor && amount.minor <= maxMinor) {
        problems.push(
          `plans.${name}.maxAmount is ${ceiling}: more than limits.maxAmount.${currency}, ${maxMinor} minor units`,
        );
      }
      return [name, { ...plan, amount, ceilingMinor }];
    }),
  );
}
