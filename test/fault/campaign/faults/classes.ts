import type { ClassName } from '../options.ts';
import type { FaultClass } from '../world.ts';
import { failpoint } from './failpoint.ts';
import { gateway } from './gateway.ts';
import { job } from './job.ts';
import { kill } from './kill.ts';
import { merchant } from './merchant.ts';
import { pauses } from './pause.ts';
import { people } from './people.ts';
import { postgres } from './postgres.ts';
import { queue } from './queue.ts';
import { wire } from './wire.ts';

/** A class, how much of the blows it deals when all strike together, and ms from one to the next when it strikes alone. */
type Share = { readonly faults: FaultClass; readonly weight: number; readonly everyMs: readonly [number, number] };

/** Every class by its name. Processes that die need some seconds to come to work again. */
export const FAULT_CLASSES: Readonly<Record<ClassName, Share>> = {
  kill: { faults: kill, weight: 7, everyMs: [500, 1_300] },
  pause: { faults: pauses, weight: 5, everyMs: [200, 700] },
  failpoint: { faults: failpoint, weight: 3, everyMs: [1_500, 3_000] },
  queue: { faults: queue, weight: 4, everyMs: [300, 900] },
  postgres: { faults: postgres, weight: 3, everyMs: [1_500, 3_000] },
  wire: { faults: wire, weight: 12, everyMs: [100, 400] },
  gateway: { faults: gateway, weight: 0, everyMs: [500, 500] },
  merchant: { faults: merchant, weight: 0, everyMs: [500, 500] },
  job: { faults: job, weight: 3, everyMs: [300, 900] },
  people: { faults: people, weight: 7, everyMs: [500, 1_500] },
};
