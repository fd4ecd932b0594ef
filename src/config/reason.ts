/** What a thrown value says in its first line. Told by shape: errors of another realm are no instances of our Error. */
export function reasonOf(thrown: unknown): string {
  const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  const text = isError ? thrown.message : thrown;
  if (typeof text !== 'string') return `it threw a ${typeof thrown}`;
  return `${isError ? '' : 'it threw '}${text.split('\n', 1)[0]}`;
}

/** The `code` of an error of the file system, such as ENOENT; null where there is none. */
export function codeOf(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}
