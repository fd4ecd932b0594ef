import { Webhook } from 'standardwebhooks';

/** Secrets that sign, the newest first: `whsec_` and base64, or the bytes themselves as text; while one is being replaced, both sign and a receiver needs to know either. */
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
    'webhook-signature': secrets.map((secret) => keyOf(secret).sign(id, at, body)).join(' '),
  };
}

function keyOf(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(Buffer.from(secret), { format: 'raw' });
}
