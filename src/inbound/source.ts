import { BlockList, isIP } from 'node:net';

/** A network: its first address, and how many bits of it count. */
export type Network = { readonly address: string; readonly bits: number };

/** Whose webhooks are taken. */
export type SourceRules = {
  /** Null: from anywhere. */
  readonly from: readonly Network[] | null;
  /** Proxies of our own, whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
};

/**
 * Reads the address that a request came from: the peer's, or, where that is a trusted proxy, the right-most one in
 * `X-Forwarded-For` that is none, for everything left of it the sender may have written. Null where that is no address.
 */
export function sourceReader({ trustedProxies }: SourceRules): (peer: string, forwardedFor: string) => string | null {
  const isTrusted = within(trustedProxies);
  return (peer, forwardedFor) => {
    let address = plain(peer);
    for (const hop of forwardedFor.split(',').reverse()) {
      if (address === null || hop.trim() === '' || !isTrusted(address)) return address;
      address = plain(hop.trim());
    }
    return address;
  };
}

/** Whether a webhook may come from an address. */
export function sourceCheck({ from }: SourceRules): (address: string | null) => boolean {
  if (from === null) return () => true;
  const isListed = within(from);
  return (address) => address !== null && isListed(address);
}

function within(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, bits } of networks) list.addSubnet(address, bits, familyOf(address));
  return (address) => list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** An IPv4 address that a socket of both families wrote as IPv6 is that IPv4 address. */
function plain(address: string): string | null {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1] ?? address;
  return isIP(mapped) === 0 || mapped.includes('%') ? null : mapped;
}
