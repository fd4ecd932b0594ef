/**
 * Whether an error means that the database cannot be reached just now, rather than that we asked it something wrong.
 * Read from Prisma 7.10's driver adapter errors, from PostgreSQL's classes 08, 53 and 57P, and from pg's own messages.
 */
export function databaseIsAway(error: unknown): boolean {
  const adapterError = field(field(error, 'meta'), 'driverAdapterError') ?? error;
  const cause = field(adapterError, 'cause');
  return (
    AWAY_KINDS.has(String(field(cause, 'kind'))) ||
    /^(08...|53...|57P..)$/.test(String(field(cause, 'originalCode') ?? field(error, 'code'))) ||
    /^(ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE)/.test(String(field(error, 'code'))) ||
    (error instanceof Error &&
      /^Connection terminated|timeout expired|timeout exceeded when trying to connect/.test(error.message))
  );
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

const AWAY_KINDS: ReadonlySet<string> = new Set([
  'DatabaseNotReachable',
  'DatabaseDoesNotExist',
  'DatabaseAccessDenied',
  'AuthenticationFailed',
  'ConnectionClosed',
  'TlsConnectionError',
  'TooManyConnections',
  'SocketTimeout',
]);
