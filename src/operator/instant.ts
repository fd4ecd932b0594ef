/** An instant as every face writes it: UTC, ISO 8601 with `Z`, milliseconds only where there are any. */
export function isoInstant(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

/** The same where there may be none. */
export function isoInstantOrNull(date: Date | null): string | null {
  return date === null ? null : isoInstant(date);
}
