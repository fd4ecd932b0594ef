import type { App } from '../app.ts';
import type { Channel, Config } from '../config/config.ts';
import { bound } from '../store/charge-store.ts';
import { keepAnswer, readBefore } from '../store/hook-answers.ts';
import type { BeforeDeps } from '../worker/before-deps.ts';

/** What is needed to ask the merchant before a charge. */
export function beforeDeps({ db, config, callHook }: App, channel: (name: string) => Channel): BeforeDeps {
  const hooks = config.hooks.beforeCharge;
  const byName = new Map(hooks.map((hook) => [hook.name, hook]));
  return {
    hooks,
    ask: async ({ name }, key, payload, timeoutMs) => {
      const hook = byName.get(name);
      if (hook === undefined) throw new Error(`there is no hook ${name}`);
      return callHook('beforeCharge', hook, { key, payload, timeoutMs });
    },
    read: bound(db, readBefore),
    keep: bound(db, keepAnswer),
    ceilings: ceilingsOf(config),
    channel: (name) => ({ name, pg: channel(name).pg, mode: config.mode }),
  };
}

function ceilingsOf({ plans }: Config): Readonly<Record<string, number>> {
  const entries = Object.entries(plans);
  return Object.fromEntries(entries.map(([name, plan]) => [`${name} ${plan.amount.currency}`, plan.ceilingMinor]));
}
