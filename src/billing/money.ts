import { InputError } from './errors.ts';

/** An ISO 4217 code in upper case, e.g. `KRW`. */
export type Currency = string;

/** An exact amount: `minor` is a safe integer of the currency's smallest unit (₩1, 1¢). */
export type Money = { readonly minor: number; readonly currency: Currency };

/** Throws RangeError unless `minor` is a safe integer of at least 0, and InputError for an unknown currency. */
export function money(minor: number, currency: Currency): Money {
  if (!Number.isSafeInteger(minor) || minor < 0) throw new RangeError(`${minor} is not an amount in minor units`);
  exponentOf(currency);
  return { minor: Math.abs(minor), currency }; // Math.abs: no -0
}

/** Digits after the point in this currency: 0 for KRW, 2 for USD (source: the runtime's ICU data). Throws InputError. */
export function exponentOf(currency: Currency): number {
  const known = exponents.get(currency);
  if (known !== undefined) return known;
  if (!SUPPORTED.has(currency)) {
    throw new InputError(`'${currency}' is not a currency`, 'use an ISO 4217 code in upper case, such as KRW or USD');
  }
  const zero = new Intl.NumberFormat('en', { style: 'currency', currency }).formatToParts(0);
  const exponent = zero.find(({ type }) => type === 'fraction')?.value.length ?? 0;
  exponents.set(currency, exponent);
  return exponent;
}

/**
 * Reads an amount in major units as people write it: `9900` KRW, `9.90` USD. Digits and one point only.
 * Throws InputError on anything else, on more decimals than the currency has, and above the safe integers.
 */
export function parseMajor(text: string, currency: Currency): Money {
  const exponent = exponentOf(currency);
  if (/^\d{16,}(?:\.\d+)?$/.test(text))
    throw new InputError(`'${text}' is too large`, 'an amount has at most 15 digits');
  const match = /^\d{1,15}(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null)
    throw new InputError(
      `'${text}' is not an amount`,
      `write digits only, such as ${exponent === 0 ? '9900' : '9.90'}`,
    );
  const [, fraction = ''] = match;
  if (fraction.length > exponent) {
    const digits = exponent === 0 ? 'no decimals' : `at most ${exponent} decimals`;
    throw new InputError(`'${text}' has too many decimals`, `${currency} has ${digits}`);
  }
  const minor = Number(text.replace('.', '') + '0'.repeat(exponent - fraction.length));
  if (!Number.isSafeInteger(minor)) throw new InputError(`'${text}' is too large`, 'check the amount');
  return { minor, currency };
}

/** The amount in major units as PortOne's JSON wants it: a number, 9900 for ₩9,900 and 9.9 for $9.90. */
export function toMajor(amount: Money): number {
  return Number(formatMajor(amount));
}

/** The amount in major units as text without grouping: `9900`, `9.90`. */
export function formatMajor(amount: Money): string {
  const exponent = exponentOf(amount.currency);
  if (exponent === 0) return String(amount.minor);
  const digits = String(amount.minor).padStart(exponent + 1, '0');
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * Reads an amount in major units from a JSON number (a gateway's answer). Null when it is not an exact, non-negative
 * amount of the currency: then it cannot equal anything we asked for. Also null where a double no longer tells two
 * neighbouring amounts apart (above 70 trillion dollars).
 */
export function fromMajor(major: number, currency: Currency): Money | null {
  if (!Number.isFinite(major) || major < 0 || !SUPPORTED.has(currency)) return null;
  const scale = 10 ** exponentOf(currency);
  const minor = Math.round(Math.abs(major) * scale); // Math.abs: no -0
  if (!Number.isSafeInteger(minor) || minor / scale !== Math.abs(major)) return null;
  const blurred = [minor - 1, minor + 1].some((neighbour) => neighbour / scale === minor / scale);
  return blurred ? null : { minor, currency };
}

const SUPPORTED: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const exponents = new Map<Currency, number>();
