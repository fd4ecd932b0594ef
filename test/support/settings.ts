type SchemaPart = {
  readonly anyOf?: readonly unknown[];
  readonly items?: unknown;
  readonly properties?: object;
  readonly additionalProperties?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
};
/** What stands under each class of declines has one row for all, and so has each list of hooks. */
export function ofAnyClass({ path, facts }: Setting): Setting {
  return { path: path.replace(/(?<=\.classes\.)\w+/, '*').replace(/^hooks\.\w+\.\*/, 'hooks.*'), facts };
}

export type Setting = { readonly path: string; readonly facts: readonly string[] };

/** The leaves of a JSON Schema; `*` stands for names that the merchant chooses. */
export function settingsOf(node: SchemaPart, path: string): Setting[] {
  const below = path === '' ? '' : `${path}.`;
  const parts = Object.entries(node.properties ?? {}).flatMap(([name, part]) => settingsIn(part, below + name));
  const named = path === 'limits.maxAmount' ? [] : settingsIn(node.additionalProperties, `${below}*`);
  if (parts.length + named.length > 0) return [...parts, ...named];
  // An object or nothing: its settings, and itself.
  const items = settingsIn(node.items, `${below}*`).filter(({ path: below }) => /\.\*\../.test(below));
  if (items.length > 1) return items;
  const either = (node.anyOf ?? []).flatMap((part) => settingsIn(part, path)).filter((part) => part.path !== path);
  if (either.length > 0) return [...either, { path, facts: ['null'] }];
  const bounds = [node.minimum, node.maximum, node.default].filter((fact) => typeof fact === 'number');
  const texts = typeof node.default === 'string' ? [node.default] : [];
  const facts = [...bounds.map((fact) => fact.toLocaleString('en')), ...texts, ...(node.enum ?? []).map(String)];
  return [{ path, facts }];
}

function settingsIn(node: unknown, path: string): Setting[] {
  return typeof node === 'object' && node !== null ? settingsOf(node, path) : [];
}
