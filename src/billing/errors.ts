/** A person gave bad input: says what is wrong, with the value, and what to do. Exit 2, HTTP 4xx. */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** What the person can do about it. */
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`${problem}; ${remedy}`);
    this.remedy = remedy;
  }
}

/** Refused for safety: says which fence stands, and what a person can do about it. Exit 3. */
export class FenceError extends Error {
  override readonly name = 'FenceError';

  constructor(problem: string, remedy: string) {
    super(`${problem}; ${remedy}`);
  }
}

/** For the branch that cannot be reached: a new case that was not handled fails to compile, or fails loudly. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case ${JSON.stringify(value)}`);
}
