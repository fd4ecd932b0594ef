/** A bug planted on purpose. */
export type Mutant = {
  readonly name: string;
  /** Made one after another. */
  readonly edits: readonly Edit[];
  /** What must catch it: the seeded model, or a test of the suite by its file. */
  readonly catcher: 'model' | `test/${string}`;
};

/** In `file`, which may hold it once only, `find` becomes `replace`. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

/** The text of `file` after an edit. Throws where it does not hold exactly once what is to be replaced. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what the mutant replaces: ${find}`);
  return parts.join(replace);
}
