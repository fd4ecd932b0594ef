import { Webhook } from 'standardwebhooks';

/** Secrets that sign, the newest first; while one is being replaced, both sign and a receiver needs to know either. */
export type SigningSecrets = readonly [string, ...string[]];

export type Signed = {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
};

/**
 * The headers of the Standard Webhooks scheme over a body's bytes as they are sent: the id stays the same in every
 * repetition, the instant is that of this one. Throws where a secret is none.
 */
export function sign(secrets: SigningSecrets, { id, at, body }: { id: string; at: Date; body: string }): Signed {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

/**
 * What is wrong with a signing secret, as a sentence's end that does not show it; null for nothing. The scheme's
 * form: `whsec_` and the base64 of 24 to 64 random bytes.
 */
export function problemOfSecret(secret: string): string | null {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const bytes = encoded === undefined ? null : Buffer.from(encoded, 'base64');
  if (bytes === null || bytes.toString('base64') !== encoded) return 'is not `whsec_` and base64';
  return bytes.length >= 24 && bytes.length <= 64 ? null : `holds ${bytes.length} bytes, not 24 to 64`;
}
