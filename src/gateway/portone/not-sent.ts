/**
 * Whether a connector's failure is of a kind that the protocol counts as "not sent" (§2.5): connection refused, no such
 * host, connect timeout, TLS. Narrow on purpose; every other failure is treated as if the request might have left.
 * Asked only of errors that the connector raised, before a request was given to the socket.
 */
export function failedBeforeTheWire(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  // Several addresses were tried: each of them must have failed in such a way.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.length > 0 && error.errors.every(isListed);
  return isListed(error);
}

/** An error's code. Its message is never used: it may quote what was sent. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'no code';
  return typeof error.code === 'string' ? error.code : 'no code';
}

function isListed(error: unknown): boolean {
  const code = codeOf(error);
  return PLAIN_FAILURES.has(code) || code === 'EPROTO' || (isFromHandshake(error) && TLS_FAILURE.test(code));
}

/** Node names the system call in an operating system's error; what has none was raised by the TLS handshake. */
function isFromHandshake(error: unknown): boolean {
  return typeof error === 'object' && error !== null && !('syscall' in error);
}

const PLAIN_FAILURES: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const TLS_FAILURE = /^(ERR_TLS_|ERR_SSL_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|ECONNRESET$)|CERT|SIGNATURE/;
