/** What was thrown as text, whatever it is: code of the merchant's may throw what turns into none. */
export function wordsOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'something without words';
  }
}
