const LONGEST = 300;

/** An id or name from outside, fit for a log, a row and a page: no control or direction characters, at most 300. */
export function oneLine(text: string): string {
  const visible = text.slice(0, 4 * LONGEST).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]+/gu, ' ');
  return Array.from(visible.trim()).slice(0, LONGEST).join('');
}

/** Free text from outside: as `oneLine`, and whatever could be a card number is blanked. */
export function plainText(text: string): string {
  return oneLine(oneLine(text).replace(CARD_NUMBER, '****'));
}

/** A card number only if the gateway masked it: at least four characters hidden, at most twelve digits shown. */
export function maskedCardNumber(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[\d*xX -]{8,32}$/.test(text)) return null;
  const hidden = text.replace(/[^*xX]/g, '').length;
  const shown = text.replace(/\D/g, '').length;
  return hidden >= 4 && shown <= 12 ? text : null;
}

/** JSON from outside; `\uFFFD` in the place of NUL and of halves of characters, which no row can hold. Throws SyntaxError. */
export function readJson(text: string): unknown {
  // Neither comes of text that was decoded, but by an escape.
  return text.includes('\\u') ? holdable(JSON.parse(text)) : JSON.parse(text);
}

function holdable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').replace(/\p{Cs}/gu, '\uFFFD');
  if (Array.isArray(value)) return value.map(holdable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [String(holdable(key)), holdable(each)]));
}

const CARD_NUMBER = /\d(?:[ -]?\d){12,18}/g;
