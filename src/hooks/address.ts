import ipaddr from 'ipaddr.js';

/** Ranges of addresses, as config names them: `10.0.0.0/8`, or one address alone. */
export type Ranges = readonly string[];

/**
 * Whether a request of the merchant's making may go to an address: a public one, or one within a range that config names.
 * Of IPv6, public is what is handed out to networks (2000::/3) less everything special: what holds an IPv4 address inside
 * (mapped, 6to4, NAT64, Teredo) is refused whatever it holds, and so are private, loopback, link-local, shared (CGNAT),
 * multicast, reserved and documentation addresses. Anything that is not an address is refused. `isOwn`: only
 * what config names is open.
 */
export function isOpenTo(address: string, excepted: Ranges, isOwn = false): boolean {
  if (!isAddress(address) || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  return (!isOwn && isPublic(parsed)) || excepted.some((range) => isWithin(parsed, range));
}

/** Whether a host is an address and no name; square brackets as in a URL are left off. */
export function isAddress(host: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host);
}

function isPublic(address: Parsed): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv6' ? isWithin(address, GLOBAL_UNICAST) : !METADATA.includes(address.toString());
}

function isWithin(address: Parsed, range: string): boolean {
  const [base, bits] = ipaddr.isValidCIDR(range) ? ipaddr.parseCIDR(range) : [ipaddr.parse(range), null];
  return address.kind() === base.kind() && address.match(base, bits ?? (base.kind() === 'ipv6' ? 128 : 32));
}

type Parsed = ReturnType<typeof ipaddr.parse>;

/** RFC 4291 §2.4 and the IANA registry: no other part of IPv6 has been handed out to networks. */
const GLOBAL_UNICAST = '2000::/3';

/** Azure's "wire server", which answers its virtual machines, and only those, at a public address. */
const METADATA = ['168.63.129.16'];
