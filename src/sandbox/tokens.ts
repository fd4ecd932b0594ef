import { randomBytes } from 'node:crypto';

/** What `getToken` answers; instants in seconds since 1970. */
type Token = { readonly access_token: string; readonly expired_at: number; readonly now: number };

/**
 * Access tokens of V1: one per key for half an hour, the same one to everybody who asks, five minutes more for who asks
 * within its last minute (source: PortOne's V1 schema, `POST /users/getToken`). Kept in memory: after a restart callers
 * get 401 and ask again.
 */
export class Tokens {
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #byKey = new Map<string, { readonly token: string; readonly expiredAt: number }>();
  readonly #expiry = new Map<string, number>();

  constructor(secrets: ReadonlyMap<string, string>) {
    this.#secrets = secrets;
  }

  /** Null when the pair is not known. */
  issue(key: string, secret: string, now: number): Token | null {
    if (this.#secrets.get(key) !== secret) return null;
    const present = this.#byKey.get(key);
    const isAlive = present !== undefined && present.expiredAt > now && this.isValid(present.token, now);
    if (present !== undefined && !isAlive) this.#expiry.delete(present.token);
    const token = isAlive ? present.token : randomBytes(20).toString('hex');
    const expiredAt = isAlive ? extended(present.expiredAt, now) : now + LIFETIME_SECONDS;
    this.#byKey.set(key, { token, expiredAt });
    if (!isAlive || expiredAt !== present.expiredAt) this.#expiry.set(token, expiredAt); // else it may have been ended early
    return { access_token: token, expired_at: expiredAt, now };
  }

  /** The last one given for the key, as it was told, alive or not; a first one if there is none. */
  last(key: string, secret: string, now: number): Token | null {
    const present = this.#byKey.get(key);
    if (present === undefined || this.#secrets.get(key) !== secret) return this.issue(key, secret, now);
    return { access_token: present.token, expired_at: present.expiredAt, now };
  }

  /** Has a token refused from an instant on, whatever was said when it was given. */
  endAt(token: string, expiredAt: number): void {
    this.#expiry.set(token, Math.min(expiredAt, this.#expiry.get(token) ?? expiredAt));
  }

  isValid(token: string, now: number): boolean {
    return (this.#expiry.get(token) ?? 0) > now;
  }
}

function extended(expiredAt: number, now: number): number {
  return expiredAt - now <= LAST_MINUTE_SECONDS ? expiredAt + EXTENSION_SECONDS : expiredAt;
}

const LIFETIME_SECONDS = 1_800;
const LAST_MINUTE_SECONDS = 60;
const EXTENSION_SECONDS = 300;
