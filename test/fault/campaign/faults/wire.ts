import type { ArmedFault, RequestFault } from '../../proxy/fault.ts';
import type { FaultProxy } from '../../proxy/fault-proxy.ts';
import type { Chance } from '../chance.ts';
import type { FaultClass } from '../world.ts';

/** What is between the processes fails: replies swallowed, requests cut, black holes, latency, closed doors. */
export const wire: FaultClass = {
  name: 'wire',
  strike: async ({ proxies, chance, tally, plan }) => {
    const where = chance.weighed([
      ['postgres', 5],
      ['gateway', 3],
      ['redis', proxies.redis === null ? 0 : 2],
    ] as const);
    const proxy = proxies[where];
    if (proxy === null) return;
    if (chance.happens(0.05)) {
      tally.add('wire', `${where} cut-all`);
      return proxy.cutAll();
    }
    await arm(proxy, draw(where, chance, plan.duplicates === 'accept' ? 1_000 : 2_500));
  },
  end: async ({ proxies }) => {
    for (const proxy of Object.values(proxies)) await proxy?.heal();
  },
};

/** Its firings are counted by the proxy; what never found its request is disarmed at the end. */
async function arm(proxy: FaultProxy, fault: ArmedFault): Promise<void> {
  proxy.arm(fault);
}

function draw(where: 'postgres' | 'gateway' | 'redis', chance: Chance, longestMs: number): ArmedFault {
  if (chance.happens(0.1)) {
    return chance.happens(0.5)
      ? { kind: 'refuse', ms: chance.between(200, 1_200) }
      : { kind: 'accept-then-close', times: chance.between(1, 5) };
  }
  const match = chance.weighed(SUBJECTS[where]);
  const fault = { ...requestFault(chance, longestMs), times: chance.between(1, 3) };
  return match === null ? fault : { ...fault, match };
}

function requestFault(chance: Chance, longestMs: number): RequestFault {
  const kind = chance.weighed([
    ['swallow-reply', 5],
    ['cut-before-request', 2],
    ['cut-in-request', 2],
    ['cut-after-request', 3],
    ['cut-in-reply', 2],
    ['black-hole', 2],
    ['slow', 2],
  ] as const);
  switch (kind) {
    case 'black-hole':
      return {
        kind,
        direction: chance.pick(['to-server', 'to-client']),
        ms: chance.between(200, longestMs),
        scope: chance.happens(0.2) ? 'every' : 'connection',
      };
    case 'slow':
      return { kind, delayMs: chance.between(20, longestMs), ...(chance.happens(0.3) ? { sliceBytes: 1 } : {}) };
    default:
      return { kind };
  }
}

/** Null for any request. */
const SUBJECTS: Readonly<Record<'postgres' | 'gateway' | 'redis', readonly (readonly [RegExp | null, number])[]>> = {
  postgres: [
    [/SET state = 'sent', send_count = send_count \+ 1/, 5],
    [/UPDATE attempt SET state = \$\d+, lease_until = NULL/, 5],
    [/INSERT INTO observation/, 2],
    [/SET fence = fence \+ 1, lease_count/, 2],
    [/INSERT INTO invoice/, 1],
    [/^startup$/, 1],
    [null, 3],
  ],
  gateway: [
    [/^POST \/subscribe\/payments\/again/, 6],
    [/^GET \/payments\/findAll/, 3],
    [/^POST \/users\/getToken/, 1],
    [null, 1],
  ],
  redis: [[null, 1]],
};
