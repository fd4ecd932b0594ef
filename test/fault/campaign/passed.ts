import { FAILPOINTS, type Failpoint } from '../../../src/failpoints.ts';
import { asksHooks, type Plan } from './options.ts';

/** The failpoints that the processes of a run pass: those around a hook's answer where it has hooks. */
export function passedIn(plan: Plan): readonly Failpoint[] {
  return asksHooks(plan) ? FAILPOINTS : FAILPOINTS.filter((name) => !name.startsWith('hook.'));
}
