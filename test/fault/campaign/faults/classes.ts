import type { ClassName } from '../options.ts';
import type { FaultClass } from '../world.ts';
import { failpoint } from './failpoint.ts';
import { gateway } from './gateway.ts';
import { job } from './job.ts';
import { kill } from './kill.ts';
import { pauses } from './pause.ts';
import { postgres } from './postgres.ts';
import { queue } from './queue.ts';
import { wire } from './wire.ts';

/** Every class by its name, with how much of the blows it deals when all strike together. */
export const FAULT_CLASSES: Readonly<Record<ClassName, { readonly faults: FaultClass; readonly weight: number }>> = {
  kill: { faults: kill, weight: 8 },
  pause: { faults: pauses, weight: 4 },
  failpoint: { faults: failpoint, weight: 2 },
  queue: { faults: queue, weight: 3 },
  postgres: { faults: postgres, weight: 3 },
  wire: { faults: wire, weight: 10 },
  gateway: { faults: gateway, weight: 0 },
  job: { faults: job, weight: 2 },
};
