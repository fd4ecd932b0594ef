import { request } from 'undici';
import { z } from 'zod';
import { InputError } from '../../billing/errors.ts';
import { parseBaseUrl } from './http.ts';
import { codeOf } from './not-sent.ts';
import { plainText } from './text.ts';

/** A test card (its name or number) to be kept by the sandbox under a `customer_uid`. */
export type TestCardEntry = { readonly customerUid: string; readonly card: string };

/**
 * Stores test cards in a sandbox on this machine, 1,000 at a time, in order. Throws InputError when `baseUrl` is not
 * plain http (a real gateway speaks https alone, and gets no card number), when nothing answers there, and for an entry that the
 * sandbox refuses, which it names; nothing of that entry's thousand is stored then.
 */
export async function storeTestCards(baseUrl: string, entries: readonly TestCardEntry[]): Promise<void> {
  const base = parseBaseUrl(baseUrl);
  if (base.protocol !== 'http:') {
    throw new InputError(`test cards cannot be stored at ${base.host}`, 'leave test_card out, or use a local sandbox');
  }
  const url = `${base.origin}${base.pathname.replace(/\/+$/, '')}/_sandbox/cards`;
  for (let start = 0; start < entries.length; start += BATCH)
    await storeBatch(url, entries.slice(start, start + BATCH));
}

async function storeBatch(url: string, batch: readonly TestCardEntry[]): Promise<void> {
  const cards = batch.map(({ customerUid, card }) => ({ customer_uid: customerUid, card }));
  const { status, text } = await post(url, JSON.stringify({ cards }));
  if (status === 200) return;
  if (status !== 400) {
    throw new InputError(`${url} answered HTTP ${status}`, 'check that PORTONE_BASE_URL is the sandbox of maedal');
  }
  const problem = plainText(messageOf(text));
  const entry = batch[Number(/^cards\[(\d+)\]/.exec(problem)?.[1])];
  const named = entry === undefined ? '' : ` (customer_uid '${plainText(entry.customerUid)}')`;
  throw new InputError(
    `the sandbox refused a test card${named}: ${problem}`,
    'correct test_card; `_sandbox/cards` lists them',
  );
}

async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json', 'user-agent': 'maedal' };
  const limits = { headersTimeout: LIMIT_MS, bodyTimeout: LIMIT_MS, reset: true };
  try {
    const response = await request(url, { method: 'POST', headers, body, ...limits });
    return { status: response.statusCode, text: await response.body.text() };
  } catch (cause) {
    const remedy = 'start it with `maedal sandbox`, or correct PORTONE_BASE_URL';
    throw new InputError(`no sandbox answers at ${url} (${codeOf(cause)})`, remedy);
  }
}

function messageOf(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return text;
  }
}

const BATCH = 1_000;
const LIMIT_MS = 30_000;
