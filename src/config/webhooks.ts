import { isIP } from 'node:net';
import { z } from 'zod';
import { parseBaseUrl } from './base-url.ts';

/** PortOne's webhooks: where they are asked for, and from where they are taken. */
export type Webhooks = {
  /** Sent with each charge; null to leave it to what PortOne's console says. */
  readonly noticeUrl: string | null;
  /** Null: from anywhere. */
  readonly from: readonly Network[] | null;
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
};

/** A network: its first address, and how many bits of it count. */
type Network = { readonly address: string; readonly bits: number };

/** The section `webhooks`. */
export const webhooksSchema = z
  .strictObject({
    publicUrl: z
      .string()
      .refine((text) => readOrigin(text) !== null, {
        error: 'write an origin without a path, such as https://billing.example.com; http only for this machine',
      })
      .optional(),
    from: z.union([z.enum(['anywhere', 'portone']), networks()]).default('anywhere'),
    trustedProxies: networks().default([]),
  })
  .prefault({});

/** What it says, ready to be used. Adds to `problems`. */
export function resolveWebhooks(
  { publicUrl, from, trustedProxies }: z.output<typeof webhooksSchema>,
  mode: 'test' | 'live',
  problems: string[],
): Webhooks {
  const origin = publicUrl === undefined ? null : readOrigin(publicUrl);
  if (mode === 'live' && origin?.isSecure === false) {
    problems.push(`webhooks.publicUrl is '${origin.href}': live takes an https address only`);
  }
  const given = from === 'portone' ? PORTONE_SOURCES : from;
  return {
    noticeUrl: origin === null ? null : `${origin.href}/webhooks/portone`,
    from: given === 'anywhere' ? null : given.flatMap((text) => readNetwork(text) ?? []),
    trustedProxies: trustedProxies.flatMap((text) => readNetwork(text) ?? []),
  };
}

function readOrigin(text: string): ReturnType<typeof parseBaseUrl> {
  const url = parseBaseUrl(text);
  return url !== null && (url.isSecure || url.isLoopback) ? url : null;
}

function networks() {
  const error = 'write an address or a network, such as 10.0.0.5 or 10.0.0.0/8';
  return z.array(z.string().refine((text) => readNetwork(text) !== null, { error })).max(100);
}

function readNetwork(text: string): Network | null {
  const [, address = '', given] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0) return null;
  const most = family === 4 ? 32 : 128;
  const bits = given === undefined ? most : Number(given);
  return bits <= most ? { address, bits } : null;
}

/** Where PortOne sends webhooks from (source: its V1 guide on webhooks, August 2026). */
const PORTONE_SOURCES = ['52.78.100.19', '52.78.48.223', '52.78.5.241'];
