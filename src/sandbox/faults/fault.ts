import { findTestCard, TEST_CARDS } from '../cards.ts';
import { type Fields, fieldsOf, invalid, optionalText } from '../fields.ts';
import {
  FAULT_KINDS,
  FAULT_PLACES,
  type FaultKind,
  type FaultName,
  type FaultPlace,
  isFaultName,
} from './catalogue.ts';

/** Which requests a fault looks at: those whose ids start so, or whose key holds that test card. */
type FaultMatch = {
  readonly customer_uid?: string;
  readonly merchant_uid?: string;
  /** Exact name of a test card. */
  readonly card?: string;
};

/** A fault as it was asked for. Its fields are those of the control plane. */
export type Fault = {
  readonly id: string;
  readonly on: FaultPlace;
  readonly what: FaultName;
  /** How likely it strikes a request that matches, 0 to 1. */
  readonly rate: number;
  /** How often it strikes at most; null: without end. */
  readonly times: number | null;
  readonly seed: number;
  readonly match: FaultMatch;
  /** All that its kind knows, defaults filled in. */
  readonly params: Readonly<Record<string, number>>;
};

/** Reads a fault; `where` is for messages, `fallbackId` for one that names no id. Throws Refusal (400) naming what is wrong. */
export function readFault(value: unknown, where: string, fallbackId: string): Fault {
  const fields = fieldsOf(value);
  refuseUnknown(fields, FIELDS, `${where}: '%' is not a field of a fault`);
  const what = optionalText(fields, 'what') ?? '';
  const kind = FAULT_KINDS.get(what);
  if (kind === undefined || !isFaultName(what)) {
    throw invalid(`${where}: what '${what}' is not a fault; use one of ${[...FAULT_KINDS.keys()].join(', ')}`);
  }
  const match = readMatch(fieldsOf(fields.match), where);
  if (what === 'unread' && Object.keys(match).length > 0) {
    throw invalid(`${where}: match cannot be asked of 'unread', which looks at no request`);
  }
  return {
    id: optionalText(fields, 'id', 80) ?? fallbackId,
    on: readPlace(fields, kind, `${where}: `, what),
    what,
    rate: readNumber(fields, 'rate', { fallback: 1, min: 0, max: 1, where }),
    times: fields.times == null ? null : readWhole(fields, 'times', { fallback: 1, min: 1, max: 1e9, where }),
    seed: readWhole(fields, 'seed', { fallback: 1, min: 0, max: 2 ** 32 - 1, where }),
    match,
    params: readParams(fieldsOf(fields.params), kind, `${where}: `, what),
  };
}

function readPlace(fields: Fields, kind: FaultKind, where: string, what: string): FaultPlace {
  const on = optionalText(fields, 'on') ?? '';
  const place = FAULT_PLACES.find((name) => name === on);
  if (place === undefined) throw invalid(`${where}on '${on}' is not one of ${FAULT_PLACES.join(', ')}`);
  if (!kind.on.includes(place)) throw invalid(`${where}'${what}' is a fault on ${kind.on.join(', ')}, not on '${on}'`);
  return place;
}

function readMatch(fields: Fields, where: string): FaultMatch {
  refuseUnknown(fields, MATCHES, `${where}: '%' is nothing to match by`);
  const card = optionalText(fields, 'card');
  if (card !== null && !isTestCardName(card)) throw invalid(`${where}: match.card '${card}' is not a test card`);
  const entries = MATCHES.flatMap((name) => {
    const text = optionalText(fields, name);
    return text === null ? [] : [[name, text]];
  });
  return Object.fromEntries(entries);
}

function readParams(fields: Fields, kind: FaultKind, where: string, what: string): Fault['params'] {
  const names = Object.keys(kind.params);
  refuseUnknown(fields, names, `${where}'%' is not a param of '${what}'`);
  const values = Object.entries(kind.params).map(([name, fallback]) => {
    const bounds = { fallback, min: name === 'every_ms' || name === 'by' ? 1 : 0, max: A_YEAR_MS };
    return [name, readWhole(fields, name, { ...bounds, where: `${where}params` })];
  });
  return Object.fromEntries(values);
}

type Bounds = { readonly fallback: number; readonly min: number; readonly max: number; readonly where: string };

function readWhole(fields: Fields, name: string, bounds: Bounds): number {
  const value = readNumber(fields, name, bounds);
  if (!Number.isInteger(value)) throw invalid(`${bounds.where}: ${name} ${value} is not a whole number`);
  return value;
}

function readNumber(fields: Fields, name: string, { fallback, min, max, where }: Bounds): number {
  const text = optionalText(fields, name);
  if (text === null && fields[name] == null) return fallback;
  const value = Number(text ?? Number.NaN);
  if (!(value >= min && value <= max)) {
    throw invalid(`${where}: ${name} '${String(fields[name])}' is not a number from ${min} to ${max}`);
  }
  return value;
}

/** `%` in the message stands for the unknown name. */
function refuseUnknown(fields: Fields, known: readonly string[], message: string): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const others = known.length === 0 ? 'it takes none' : `use ${known.join(', ')}`;
  throw invalid(`${message.replace('%', unknown)}; ${others}`);
}

function isTestCardName(name: string): boolean {
  return findTestCard(name) !== null && TEST_CARDS.some((card) => card.name === name);
}

const FIELDS = ['id', 'on', 'what', 'rate', 'times', 'seed', 'match', 'params'];
const MATCHES = ['customer_uid', 'merchant_uid', 'card'] as const;
const A_YEAR_MS = 366 * 86_400_000;
