/** A bug planted on purpose: in `file`, which may hold it once only, `find` becomes `replace`. */
export type Mutant = {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** What must catch it: the seeded model, or a test of the suite by its file. */
  readonly catcher: 'model' | `test/${string}`;
};
