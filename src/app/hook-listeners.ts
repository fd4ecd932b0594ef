import type { Config } from '../config/config.ts';
import { addressOf } from '../config/events.ts';
import type { Hook, Hooks } from '../config/hooks.ts';
import type { HookThreads } from '../hooks/hook-threads.ts';
import type { Endpoint, NotifyDeps, ToldFunction } from '../notify/deps.ts';
import { KINDS_OF, type ToldPoint } from '../notify/hook-kinds.ts';
import type { Listener } from '../store/outbox.ts';

/** Everybody who is told of events, by name, kinds and address alone. */
export function toldOf({ endpoints, hooks }: Pick<Config, 'endpoints' | 'hooks'>): Listener[] {
  const own = endpoints.map(({ name, types, address }) => ({ name, types, address }));
  return [...own, ...POINTS.flatMap((point) => hooks[point].map((hook) => named(point, hook)))];
}

/** The hooks that are told of events, each a listener named `hook:…`, which no endpoint can be called. */
export function hookListeners(hooks: Hooks, threads: Pick<HookThreads, 'call'>): NotifyDeps['listeners'] {
  return POINTS.flatMap((point) => hooks[point].map((hook) => listenerOf(point, hook, threads)));
}

function listenerOf(point: ToldPoint, hook: Hook, threads: Pick<HookThreads, 'call'>): Endpoint | ToldFunction {
  const listener = named(point, hook);
  const { name, timeoutMs, target } = hook;
  if (target.kind === 'function') {
    const call: ToldFunction['call'] = (key, payload) => threads.call({ point, name, key, payload, timeoutMs });
    return { ...listener, call };
  }
  const { url, secrets, allowAddresses } = target;
  const [first, ...others] = secrets;
  if (first === undefined) throw new Error('a hook that is a url has a secret');
  return {
    ...{ ...listener, url, timeoutMs, allow: { addresses: allowAddresses } },
    secrets: () => [first.reveal(), ...others.map((secret) => secret.reveal())] as const,
  };
}

function named(point: ToldPoint, { name, target }: Hook): Listener {
  const address = target.kind === 'function' ? 'function' : addressOf(target.url);
  return { name: `hook:${name}`, types: KINDS_OF[point], address };
}

const POINTS = ['afterCharge', 'onDunningStep', 'onSubscriptionChange', 'notify'] as const;
