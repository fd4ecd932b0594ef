import { fromMajor, type Money } from '../billing/money.ts';
import type { Person } from './entry.ts';
import { Refusal } from './envelope.ts';

/** The named values of a body or a query, of JSON or of a form. Unknown names are nobody's business. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads a parsed body or query; whatever is no object has no fields. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** A text, or a number as text; null when it is absent or empty. Throws Refusal (400) above `max` characters. */
export function optionalText(fields: Fields, name: string, max?: number): string | null {
  const value = fields[name];
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return null;
  const text = String(value);
  if (max !== undefined && text.length > max) throw invalid(`${name} 값은 ${max}자 이하여야 합니다.`);
  return text;
}

/** Like `optionalText`, but throws Refusal (400) when there is nothing. */
export function requiredText(fields: Fields, name: string, max?: number): string {
  const text = optionalText(fields, name, max);
  if (text === null) throw invalid(`${name} 파라메터가 누락되었습니다.`);
  return text;
}

/** A whole number; `fallback` when it is absent. Throws Refusal (400) outside `min` to `max`. */
export function wholeNumber(
  fields: Fields,
  name: string,
  { fallback, min, max }: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const text = optionalText(fields, name);
  if (text === null) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw invalid(`${name} 값이 올바르지 않습니다.`);
  return value;
}

/** An amount in major units, a number or its text. Null when absent; throws Refusal (400) when it is no amount. */
export function optionalAmount(fields: Fields, name: string, currency: string): Money | null {
  const text = optionalText(fields, name);
  if (text === null) return null;
  const amount = /^\d+(\.\d+)?$/.test(text) ? fromMajor(Number(text), currency) : null;
  if (amount === null) throw invalid(`${name} 값이 올바르지 않습니다.`);
  return amount;
}

/** `custom_data`: a JSON text by the schema; clients that send the object itself mean its text. */
export function customDataOf(fields: Fields): string | null {
  const value = fields.custom_data;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : optionalText(fields, 'custom_data');
}

/** Several values under one name, `a[]=1&a[]=2` or `a=1`. */
export function texts(fields: Fields, name: string): string[] {
  const value = fields[name];
  const values = isObject(value) || Array.isArray(value) ? Object.values(value) : [value];
  return values.filter((item) => typeof item === 'string' && item !== '').map(String);
}

/** The five `buyer_…` or `customer_…` fields. Throws Refusal (400) above the lengths of the V1 schema. */
export function personOf(fields: Fields, prefix: 'buyer' | 'customer'): Person {
  const lengths = PERSON_LENGTHS[prefix];
  return {
    name: optionalText(fields, `${prefix}_name`, lengths.name),
    tel: optionalText(fields, `${prefix}_tel`, lengths.tel),
    email: optionalText(fields, `${prefix}_email`, lengths.email),
    addr: optionalText(fields, `${prefix}_addr`, lengths.addr),
    postcode: optionalText(fields, `${prefix}_postcode`, 8),
  };
}

/** HTTP 400 with a message. */
export function invalid(message: string): Refusal {
  return new Refusal(400, -1, message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const PERSON_LENGTHS = {
  buyer: { name: 16, tel: 16, email: 64, addr: 128 },
  customer: { name: 20, tel: 20, email: 200, addr: 200 },
} as const;
