import { isAddress, isOpenTo, isRange, type Ranges } from './address.ts';

/** What config opens for one address of the merchant's; nothing is open that it does not name. */
export type Exceptions = {
  /** Plain http too: whoever listens on the way reads the body and can answer in the receiver's place. */
  readonly http?: boolean | undefined;
  /** Ports beside 443, or beside 80 where http is open. */
  readonly ports?: readonly number[] | undefined;
  /** Addresses that are not public, as `10.1.2.3` or `10.0.0.0/8`. */
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
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads the address of a hook or an endpoint, without asking the network: https, no credentials, a listed port, a host
 * that can be public. The reason names the host alone: what follows it may be a secret.
 */
export function parseTarget(text: string, allow: Exceptions): Target {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return refused('it is not an address such as https://shop.example/hooks');
  if (url.username !== '' || url.password !== '') return refused('it holds a user name or password');
  if (!schemes(allow).includes(url.protocol))
    return refused(`it starts with ${url.protocol}//, which is not open to it`);
  const port = url.port === '' ? USUAL[url.protocol] : Number(url.port);
  if (port !== USUAL[url.protocol] && allow.ports?.includes(port ?? 0) !== true)
    return refused(`port ${port} is not open to it`);
  return parseHost(url, allow);
}

function parseHost(url: URL, allow: Exceptions): Target {
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  const excepted = allow.addresses ?? [];
  if (isAddress(host) && !isOpenTo(host, excepted)) return refused(`${host} is not a public address`);
  if (!isAddress(host) && excepted.length === 0 && !couldBePublic(host))
    return refused(`${host === '' ? 'nothing' : host} is not a public name`);
  return { kind: 'target', url, host, isAddress: isAddress(host) };
}

/** What is wrong with exceptions, as sentences' ends; empty for none. */
export function problemsOfExceptions({ addresses = [] }: Exceptions): string[] {
  return addresses.filter((range) => !isRange(range)).map((range) => `'${range}' is neither an address nor a range`);
}

/** Names that no public server answers to (RFC 6761, 6762, 8375; ICANN's `internal`), or that have no dot at all. */
function couldBePublic(name: string): boolean {
  return name.includes('.') && !/(^|\.)(localhost|local|internal|home\.arpa|onion|invalid|test)$/.test(name);
}

function schemes({ http }: Exceptions): string[] {
  return http === true ? ['https:', 'http:'] : ['https:'];
}

function refused(reason: string): Target {
  return { kind: 'refused', reason };
}

const USUAL: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };
