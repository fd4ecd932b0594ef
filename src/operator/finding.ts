/** One thing that was looked at; whatever is not `ok` says what to do. */
export type Finding = {
  readonly name: string;
  readonly level: 'ok' | 'warn' | 'bad';
  readonly says: string;
  readonly doThis?: string;
};
