import { HOOK_POINTS, type HookPoint, type OnError } from '../billing/hook.ts';
import type { FileConfig } from './schema.ts';
import { Secret } from './secret.ts';

/** A hook as it was registered. What a function does is known to the threads alone, which load the file themselves. */
export type Hook = {
  readonly name: string;
  readonly timeoutMs: number;
  /** `defer` where nothing depends on its answer. */
  readonly onError: OnError;
  readonly target: HookTarget;
};

export type HookTarget =
  | { readonly kind: 'function' }
  | {
      readonly kind: 'url';
      readonly url: string;
      /** One or more; all of them sign. */
      readonly secrets: readonly Secret[];
      /** Addresses and networks that may be called although they are not public, and by http. */
      readonly allowAddresses: readonly string[];
    };

/** All hooks by where they are called, in their order. */
export type Hooks = Readonly<Record<HookPoint, readonly Hook[]>>;

/** Every hook with its defaults. Adds to `problems` names that are used twice, wherever: answers are kept by name. */
export function resolveHooks(file: FileConfig['hooks'], problems: string[]): Hooks {
  const places = new Map<string, string>();
  const at = (point: HookPoint) =>
    file[point].map((written, index) => {
      const place = `hooks.${point}.${index}`;
      const first = places.get(written.name);
      if (first !== undefined) {
        problems.push(`${place}.name is '${written.name}', as ${first}: each hook needs a name of its own`);
      }
      places.set(written.name, first ?? place);
      return hookOf(written);
    });
  const [beforeCharge, afterCharge, onDunningStep, onSubscriptionChange, notify] = HOOK_POINTS.map(at);
  return {
    beforeCharge: beforeCharge ?? [],
    afterCharge: afterCharge ?? [],
    onDunningStep: onDunningStep ?? [],
    onSubscriptionChange: onSubscriptionChange ?? [],
    notify: notify ?? [],
  };
}

type Written = FileConfig['hooks']['notify'][number] & { readonly onError?: OnError };

function hookOf({ name, timeoutMs, onError = 'defer', url, secret, allowAddresses = [] }: Written): Hook {
  const secrets = [secret ?? []].flat().map((text) => new Secret(text));
  const target: HookTarget = url === undefined ? { kind: 'function' } : { kind: 'url', url, secrets, allowAddresses };
  return { name, timeoutMs, onError, target };
}
