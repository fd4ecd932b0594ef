import type { MaedalEvent } from '../config/define-hooks.ts';
import { frozen } from './frozen.ts';

/**
 * An event as a hook is told of it, frozen: `type` as in `charge.succeeded`, about the subscription, customer and invoice
 * of `chargeContext()`. `data` is laid over what every event holds of these.
 */
export function event(
  type: string,
  data: Readonly<Record<string, unknown>> = {},
  {
    id = 'evt_1',
    timestamp = '2027-01-31T01:00:05.000Z',
    sequence = 1,
  }: Partial<Pick<MaedalEvent, 'id' | 'timestamp' | 'sequence'>> = {},
): MaedalEvent {
  return frozen(structuredClone({ id, type, timestamp, sequence, data: { ...DATA, ...data } }));
}

const DATA = {
  subscription_id: 'sub-1',
  customer_id: 'member-1',
  invoice_id: '7a3b3bad-abfb-4608-b1d6-6a1b8405c569',
  period: '2027-01-31',
  amount: 9_900,
  currency: 'KRW',
};
