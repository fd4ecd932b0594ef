/**
 * Blanks our secrets wherever a gateway echoes them, also as URL, JSON and base64 text, before anything of its answer is
 * read. Secrets shorter than eight characters are left alone: they would blank amounts.
 */
export function veil(body: Uint8Array, secrets: readonly string[]): Uint8Array {
  const original = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'); // keeps every byte
  let text = original;
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    for (const form of formsOf(secret)) text = text.replaceAll(form, '***');
  }
  return text === original ? body : Buffer.from(text, 'latin1');
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  return [...forms.map((form) => Buffer.from(form).toString('latin1')), base64, bytes.toString('base64url')];
}

const SHORTEST = 8;
