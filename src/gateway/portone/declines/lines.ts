import type { DeclineClass } from '../../../billing/charge.ts';
import { readCode } from './table.ts';

/** What the merchant says of one company's declines: by code, and by a part of the text, spaces not counted. */
export type CompanyLines = {
  readonly codes: Readonly<Record<string, DeclineClass>>;
  readonly texts: Readonly<Record<string, DeclineClass>>;
};

/** The merchant's own lines by `pg_provider`; those under `any` hold for every company. They go before all tables. */
export type DeclineLines = Readonly<Record<string, CompanyLines>>;

/** Nothing to say: the tables alone. */
export const NO_LINES: DeclineLines = {};

/** The words of a refusal: the codes found in it, in their order, and the whole without spaces. */
type Words = { readonly codes: readonly string[]; readonly text: string };

/**
 * What the merchant says of these words, undefined for nothing: the company's own lines before those under `any`, codes
 * before texts, a longer text before a shorter one. An answer that names no company is for `any` alone.
 */
export function classByLines(words: Words, provider: string | null, lines: DeclineLines): DeclineClass | undefined {
  for (const name of provider === null ? [ANY] : [provider, ANY]) {
    const company = Object.hasOwn(lines, name) ? lines[name] : undefined;
    const said = company === undefined ? undefined : (byCode(words, company) ?? byText(words, company));
    if (said !== undefined) return said;
  }
  return undefined;
}

/** Korean is spaced as its writer likes. */
export function withoutSpaces(text: string): string {
  return text.replace(/\s+/gu, '');
}

function byCode({ codes }: Words, company: CompanyLines): DeclineClass | undefined {
  const known = new Map(Object.entries(company.codes));
  return codes.map((code) => readCode(code, known)).find((said) => said !== undefined);
}

function byText({ text }: Words, company: CompanyLines): DeclineClass | undefined {
  const parts = Object.entries(company.texts).map(([part, said]) => [withoutSpaces(part), said] as const);
  return parts.sort(([one], [other]) => other.length - one.length).find(([part]) => text.includes(part))?.[1];
}

const ANY = 'any';
