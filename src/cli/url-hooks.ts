import type { Hook } from '../config/hooks.ts';

/** What of a configuration is looked at. */
type Asked = {
  readonly hooks: {
    readonly beforeCharge: readonly (Pick<Hook, 'name'> & { readonly target: Pick<Hook['target'], 'kind'> })[];
  };
};

/** The names of before-hooks that are URLs: where time is played, none of them is asked. */
export function urlHooks({ hooks }: Asked): string[] {
  return hooks.beforeCharge.flatMap(({ name, target }) => (target.kind === 'url' ? [name] : []));
}

/** A report, and below it which hooks it does without. */
export function withoutUrlHooks(report: string, config: Asked): string {
  const names = urlHooks(config);
  return names.length === 0 ? report : `${report}\nnot asked, as if they had said proceed: ${names.join(', ')} (URLs)`;
}
