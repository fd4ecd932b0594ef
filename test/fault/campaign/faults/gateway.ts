import type { SandboxFault } from '../sandbox.ts';
import { HORIZON_SECONDS } from '../subscribers.ts';
import type { FaultClass, World } from '../world.ts';

/** The gateway answers late, twice, wrongly, or not at all, and shows what is not so. */
export const gateway: FaultClass = {
  name: 'gateway',
  begin: ({ sandbox, chance, plan }) => {
    const latestMs = Math.round(plan.late * HORIZON_SECONDS * 1_000);
    const faults = FAULTS.map(([on, what, rate, params]): SandboxFault => {
      const late = what.startsWith('capture_late') ? { max_ms: latestMs } : params;
      return { on, what, rate, seed: chance.between(1, 2 ** 31), ...(late === undefined ? {} : { params: late }) };
    });
    return sandbox.setFaults(faults);
  },
  end: async (world) => {
    await countGatewayFaults(world);
    await world.sandbox.setFaults([]);
  },
};

async function countGatewayFaults({ sandbox, tally }: World): Promise<void> {
  for (const [name, count] of await sandbox.faultCounts()) tally.add('gateway', name, count);
}

/** Rates are of the requests that no fault before them took. */
const FAULTS: readonly (readonly [
  on: string,
  what: string,
  rate: number,
  params?: Readonly<Record<string, number>>,
])[] = [
  ['again', 'reset', 0.015],
  ['again', 'rst', 0.01],
  ['again', 'hang', 0.008],
  ['again', 'error_500', 0.01],
  ['again', 'page_502', 0.01],
  ['again', 'too_many_requests', 0.0015],
  ['again', 'too_many_requests_retry_after', 0.0015],
  ['again', 'unauthorized', 0.02],
  ['again', 'done_then_hang', 0.008],
  ['again', 'done_then_reset', 0.02],
  ['again', 'done_then_rst', 0.015],
  ['again', 'done_then_error_500', 0.015],
  ['again', 'done_then_page_502', 0.01],
  ['again', 'done_then_truncated', 0.015],
  ['again', 'done_then_cut', 0.015],
  ['again', 'done_then_wrong_type', 0.01],
  ['again', 'done_then_drip', 0.006, { every_ms: 400 }],
  ['again', 'done_then_twice', 0.01],
  ['again', 'done_then_other_uid', 0.01],
  ['again', 'decline_funds', 0.02],
  ['again', 'decline_card', 0.01],
  ['again', 'decline_as_error', 0.01],
  ['again', 'flip_to_paid', 0.02, { delay_ms: 8_000 }],
  ['again', 'pending_then_paid', 0.015, { delay_ms: 8_000 }],
  ['again', 'capture_late', 0.03],
  ['again', 'capture_late_hang', 0.005],
  ['again', 'paid_then_cancelled', 0.003, { delay_ms: 20_000 }],
  ['again', 'slow', 0.01, { ms: 4_000 }],
  ['again', 'unread', 0.004, { for_ms: 30_000 }],
  ['again', 'wrong_amount', 0.002],
  ['look_up', 'reset', 0.02],
  ['look_up', 'error_500', 0.02],
  ['look_up', 'page_502', 0.01],
  ['look_up', 'hang', 0.005],
  ['look_up', 'unauthorized', 0.01],
  ['look_up', 'too_many_requests', 0.01],
  ['look_up', 'not_found', 0.02],
  ['look_up', 'lag', 0.05, { lag_ms: 6_000 }],
  ['look_up', 'wrong_order', 0.05],
  ['look_up', 'page_2_only', 0.05],
  ['look_up', 'other_account', 0.01],
  ['look_up', 'sandbox_hidden', 0.01],
  ['look_up', 'done_then_truncated', 0.01],
  ['look_up', 'done_then_other_uid', 0.01],
  ['token', 'expired_early', 0.05],
  ['token', 'same_token', 0.05],
  ['token', 'error_500', 0.02],
  ['token', 'slow', 0.05, { ms: 2_000 }],
  ['customers', 'error_500', 0.02],
  ['customers', 'reset', 0.01],
  ['cancel', 'done_then_reset', 0.1],
  ['cancel', 'reset', 0.05],
  ['cancel', 'error_500', 0.05],
  ['webhook', 'webhook_lost', 0.2],
  ['webhook', 'webhook_doubled', 0.1],
  ['webhook', 'webhook_late', 0.1, { delay_ms: 20_000 }],
  ['webhook', 'webhook_reordered', 0.05],
  ['webhook', 'webhook_forged', 0.05],
  ['webhook', 'webhook_foreign', 0.05],
  ['any', 'outage', 0.0004, { for_ms: 12_000 }],
  ['any', 'unauthorized_storm', 0.0004, { for_ms: 12_000 }],
];
