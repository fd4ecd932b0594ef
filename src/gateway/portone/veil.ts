/**
 * Blanks our secrets in the strings of a JSON body, should a gateway echo them, before anything of its answer is read.
 * A body that is no JSON, or has to be walked and is nested too deeply, comes back empty: nobody reads such a one.
 */
export function veil(body: Uint8Array, secrets: RegExp): Uint8Array {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    // Without an escape each string stands in the text as it is: mostly there is nothing to walk.
    if (text.includes('\\') || text.search(secrets) >= 0) return walked(text, secrets) ?? body;
    JSON.parse(text);
    return body;
  } catch {
    return new Uint8Array();
  }
}

/** The body with every string blanked; null where none holds a secret. */
function walked(text: string, secrets: RegExp): Uint8Array | null {
  let found = false;
  const json: unknown = JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'string' || value.search(secrets) < 0) return value;
    found = true;
    return value.replace(secrets, '***');
  });
  return found ? Buffer.from(JSON.stringify(json)) : null;
}

/**
 * Finds secrets as they are and as URL, JSON and base64 text. Those shorter than eight characters are left out: they
 * would blank ids.
 */
export function patternOf(secrets: readonly string[]): RegExp {
  const forms = secrets.filter((secret) => secret.length >= SHORTEST).flatMap(formsOf);
  const escaped = forms.map((form) =>
    form.replace(/[^\p{L}\p{N}]/gu, (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`),
  );
  return new RegExp(escaped.length === 0 ? '(?!)' : escaped.join('|'), 'gu');
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64, bytes.toString('base64url')];
}

const SHORTEST = 8;
