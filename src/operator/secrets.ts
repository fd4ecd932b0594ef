import { createHash, timingSafeEqual } from 'node:crypto';

/** Tells whether text is the secret, in a time that tells nothing of either, whatever their lengths. */
export type SecretCheck = (given: string) => boolean;

/** Throws when the secret is empty: then everybody would know it. */
export function secretCheck(secret: string, name: string): SecretCheck {
  if (secret === '') throw new Error(`${name} is empty; the console does not start without it`);
  const expected = sha256(secret);
  return (given) => timingSafeEqual(sha256(given), expected);
}

/** The SHA-256 of text, as bytes of equal length. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
