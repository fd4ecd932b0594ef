/** A bug planted on purpose. */
export type Mutant = {
  readonly name: string;
  /** Made one after another. */
  readonly edits: readonly Edit[];
  /** What must catch it. */
  readonly catcher: Catcher;
  /** What else must, each by itself. */
  readonly also?: readonly Catcher[];
};

/** The seeded model, a test of the suite by its file, or a campaign by its command line. */
export type Catcher = 'model' | `test/${string}` | `campaign ${string}`;

/** Everything that must catch it. */
export function catchersOf({ catcher, also = [] }: Mutant): readonly Catcher[] {
  return [catcher, ...also];
}

/** In `file`, which may hold it once only, `find` becomes `replace`. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

/** The text of `file` after an edit. Throws where it does not hold exactly once what is to be replaced. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what the mutant replaces: ${find}`);
  return parts.join(replace);
}
