import { lookup, Resolver } from 'node:dns/promises';

/** All addresses of a name. Rejects where there is none, and in its own time: limit it. */
export type Resolve = (name: string, ours: boolean) => Promise<readonly string[]>;

/**
 * Asks name servers, without the runtime's few threads, which PortOne's name needs too: a name server that hangs delays
 * nobody else. Names of the merchant's own network (`ours`) go through the system, which knows the hosts file.
 */
export const resolveName: Resolve = async (name, ours) => {
  if (ours) return (await lookup(name, { all: true })).map(({ address }) => address);
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const asked = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const [failed] = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (found.length === 0) throw failed;
  return found;
};
