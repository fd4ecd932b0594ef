import { FAILPOINTS, type Failpoint } from '../../../src/failpoints.ts';
import { asksHooks, type Plan } from './options.ts';

/** The failpoints that the processes of a run pass: those around an answer of the merchant's where it asks and tells him. */
export function passedIn(plan: Plan): readonly Failpoint[] {
  return asksHooks(plan) ? FAILPOINTS : FAILPOINTS.filter((name) => !OF_THE_MERCHANT.test(name));
}

const OF_THE_MERCHANT = /^(hook|delivery|function)\./;
