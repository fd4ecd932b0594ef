import { hostname, userInfo } from 'node:os';

/** Who gives this command, for the audit: the account on this host. */
export function actor(): string {
  return `${account()}@${hostname()}`;
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // a container may have no name for it
  }
}
