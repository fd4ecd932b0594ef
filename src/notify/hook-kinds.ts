import type { HookPoint } from '../billing/hook.ts';

/** Where a hook is told of what happened, and changes nothing about it. */
export type ToldPoint = Exclude<HookPoint, 'beforeCharge'>;

/** Which events go to which hooks. */
export const KINDS_OF: Readonly<Record<ToldPoint, readonly string[]>> = {
  afterCharge: ['charge.succeeded', 'charge.failed', 'charge.captured_late'],
  onDunningStep: ['dunning.step_entered'],
  onSubscriptionChange: [
    'subscription.became_past_due',
    'subscription.became_unpaid',
    'subscription.recovered',
    'subscription.trial_ended',
    'subscription.access_changed',
    'subscription.canceled',
    'subscription.paused',
    'subscription.resumed',
  ],
  notify: [
    'charge.succeeded',
    'charge.failed',
    'charge.captured_late',
    'invoice.card_needed',
    'invoice.uncollectible',
    'dunning.step_entered',
    'refund.succeeded',
    'subscription.access_changed',
    'subscription.canceled',
    'subscription.cancel_scheduled',
    'subscription.cancel_taken_back',
    'subscription.paused',
    'subscription.resumed',
    'subscription.plan_changed',
    'subscription.period_skipped',
  ],
};
