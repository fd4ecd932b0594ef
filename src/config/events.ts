import { createHash } from 'node:crypto';
import type { FileConfig } from './schema.ts';
import { Secret } from './secret.ts';

/** A server that is told of events. */
export type EventEndpoint = {
  readonly name: string;
  readonly url: Secret;
  /** One or more; all of them sign. */
  readonly secrets: readonly [Secret, ...Secret[]];
  /** Null for all kinds. */
  readonly types: readonly string[] | null;
  readonly allowAddresses: readonly string[];
  readonly ca: string | undefined;
  /** Tells one URL from another, and shows none. */
  readonly address: string;
};

/** Every endpoint. Adds to `problems` names that are used twice: deliveries are kept by name. */
export function resolveEvents({ endpoints }: FileConfig['events'], problems: string[]): readonly EventEndpoint[] {
  const places = new Map<string, string>();
  return endpoints.map(({ name, url, secret, types = null, allowAddresses = [], ca }, index) => {
    const place = `events.endpoints.${index}`;
    const first = places.get(name);
    if (first !== undefined)
      problems.push(`${place}.name is '${name}', as ${first}: each endpoint needs a name of its own`);
    places.set(name, first ?? place);
    const [newest = '', ...older] = [secret].flat();
    const secrets = [new Secret(newest), ...older.map((text) => new Secret(text))] as const;
    return { name, url: new Secret(url), secrets, types, allowAddresses, ca, address: addressOf(url) };
  });
}

/** Tells one URL from another, and shows none. */
export function addressOf(url: string): string {
  return createHash('sha256').update(url).digest('base64url').slice(0, 22);
}
