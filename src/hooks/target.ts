import { isAddress, isOpenTo, type Ranges } from './address.ts';

/** What config opens for one address of the merchant's; nothing is open that it does not name. */
export type Exceptions = {
  /** Addresses that are not public, as `10.1.2.3` or `10.0.0.0/8`: these by plain http too, and on any port. */
  readonly addresses?: Ranges | undefined;
  /** Certificates that vouch for the receiver, instead of the public ones; PEM. */
  readonly ca?: string | undefined;
};

export type Target =
  | {
      readonly kind: 'target';
      readonly url: URL;
      /** The name to resolve, or the address itself; no brackets, no final dot. */
      readonly host: string;
      readonly isAddress: boolean;
      /** Open to the addresses that config names alone: plain http, or an unusual port. */
      readonly isOwn: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads the address of a hook or an endpoint, without asking the network: https on a usual port, no credentials, a host
 * that can be public; where config names addresses, whatever may be one of them. The reason names the host alone: what
 * follows it may be a secret.
 */
export function parseTarget(text: string, { addresses: excepted = [] }: Exceptions): Target {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return refused('it is not an address such as https://shop.example/hooks');
  if (url.username !== '' || url.password !== '') return refused('it holds a user name or password');
  if (!['https:', 'http:'].includes(url.protocol)) return refused(`it starts with ${url.protocol}//`);
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  const isOwn = !isForAll(url);
  if (isAddress(host) && !isOpenTo(host, excepted, isOwn)) return refused(`${host} is not open to ${wayOf(url)}`);
  if (isOwn && excepted.length === 0) return refused(`nothing is open to ${wayOf(url)}`);
  if (!isAddress(host) && excepted.length === 0 && !couldBePublic(host)) return refused(`${host} is no public name`);
  return { kind: 'target', url, host, isAddress: isAddress(host), isOwn };
}

/** Public addresses are open by https, on the ports that it is served on. */
function isForAll({ protocol, port }: URL): boolean {
  return protocol === 'https:' && ['', '8443'].includes(port);
}

function wayOf({ protocol, port }: URL): string {
  return `${protocol.slice(0, -1)}${port === '' ? '' : ` on port ${port}`}`;
}

/** Names that no public server answers to (RFC 6761, 6762, 8375; ICANN's `internal`), or that have no dot at all. */
function couldBePublic(name: string): boolean {
  return name.includes('.') && !/(^|\.)(localhost|local|internal|home\.arpa|onion|invalid|test)$/.test(name);
}

function refused(reason: string): Target {
  return { kind: 'refused', reason };
}
