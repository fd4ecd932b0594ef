import { priceOf } from './subscribers.ts';

/** The before-hooks of the processes under test, in the order in which they are asked. */
export const BEFORE_HOOKS = ['coupon', 'stock'] as const;

/** What the hooks make of a price: every fourth subscription pays half. */
export function chargedOf(number: number): number {
  return number % HALVED_EVERY === 0 ? priceOf(number) / 2 : priceOf(number);
}

/** Whether the charges of a subscription are put off once, each attempt for a little while. */
export function isPutOff(number: number): boolean {
  return number % PUT_OFF_EVERY === 3;
}

/** What the configuration file says of hooks and endpoints, all of them at `url`. */
export function hooksText(url: string): string {
  const whose = `secret: '${SECRET}', allowAddresses: ['127.0.0.1']`;
  const asked = BEFORE_HOOKS.map((name) => `{ name: '${name}', url: '${url}/before', ${whose}, timeoutMs: 2_000 }`);
  return `hooks: {
    beforeCharge: [${asked.join(', ')}],
    afterCharge: [{ name: 'thanks', url: '${url}/after', ${whose}, timeoutMs: 2_000 }],
  },
  events: { endpoints: [{ name: 'shop', url: '${url}/events', ${whose} }] },`;
}

const HALVED_EVERY = 4;
const PUT_OFF_EVERY = 7;
const SECRET = 'canary-secret-of-the-hooks-0123456789';
