/** Throws where a claim does not hold. Cheaper than `expect`, for what is asked a million times. */
export function must(claim: boolean, what: string): void {
  if (!claim) throw new Error(`not so: ${what}`);
}
