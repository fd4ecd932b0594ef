import { addressOf } from '../config/events.ts';
import type { Hook, Hooks } from '../config/hooks.ts';
import type { HookThreads } from '../hooks/hook-threads.ts';
import type { Endpoint, NotifyDeps, ToldFunction } from '../notify/deps.ts';
import { KINDS_OF, type ToldPoint } from '../notify/hook-kinds.ts';

/** The hooks that are told of events, each a listener named `hook:…`, which no endpoint can be called. */
export function hookListeners(hooks: Hooks, threads: Pick<HookThreads, 'call'>): NotifyDeps['listeners'] {
  return POINTS.flatMap((point) => hooks[point].map((hook) => listenerOf(point, hook, threads)));
}

function listenerOf(
  point: ToldPoint,
  { name, timeoutMs, target }: Hook,
  threads: Pick<HookThreads, 'call'>,
): Endpoint | ToldFunction {
  const listener = { name: `hook:${name}`, types: KINDS_OF[point] };
  if (target.kind === 'function') {
    const call: ToldFunction['call'] = (key, payload) => threads.call({ point, name, key, payload, timeoutMs });
    return { ...listener, address: 'function', call };
  }
  const { url, secrets, allowAddresses } = target;
  const [first, ...others] = secrets;
  if (first === undefined) throw new Error('a hook that is a url has a secret');
  return {
    ...{ ...listener, address: addressOf(url), url, timeoutMs, allow: { addresses: allowAddresses } },
    secrets: () => [first.reveal(), ...others.map((secret) => secret.reveal())] as const,
  };
}

const POINTS = ['afterCharge', 'onDunningStep', 'onSubscriptionChange', 'notify'] as const;
