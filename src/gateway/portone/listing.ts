import { DateTime } from 'luxon';
import type { ListedPayment, ListedSchedule } from '../../billing/charge.ts';
import type { Listing, Take, Window } from '../gateway.ts';
import type { Get } from './authorized-get.ts';
import type { Answer } from './exchange.ts';
import { readListedPayment, readListedSchedule } from './listed.ts';
import { type PaymentPage, readEnvelope, readPage } from './wire.ts';

/**
 * What was captured or cancelled in a window: `GET /payments/status/paid`, then `/cancelled`, at most 90 days at once,
 * oldest first, so that what is added meanwhile moves no page (fact sheet §3.5). In this order a payment that is
 * cancelled between the two is shown by both. Which instant of a cancelled payment the gateway looks at is not written
 * down: where it is that of its charge, a payment cancelled weeks later is found because that list goes back 90 days.
 */
export async function listPayments(get: Get, window: Window, take: Take<ListedPayment>): Promise<Listing> {
  const paid = new Set<string>();
  let count = 0;
  let moved = 0;
  const note = async (payments: readonly ListedPayment[]) => {
    moved += payments.filter(({ impUid, status }) => status === 'cancelled' && paid.has(impUid)).length;
    for (const { impUid, status } of payments) if (status === 'paid') paid.add(impUid);
    await take(payments);
  };
  const lists = [
    ['paid', window],
    ['cancelled', lookingBack(window)],
  ] as const;
  for (const [status, over] of lists) {
    const listing = await inStretches(over, LONGEST_SECONDS, async ({ from, to }) => {
      const path = `/payments/status/${status}?from=${from}&to=${to}&sorting=started`;
      return everyPage(get, path, { read: readListedPayment, idOf: ({ impUid }) => impUid, take: note });
    });
    if (listing.kind !== 'whole') return listing;
    count += listing.count;
  }
  // It may have left the first list while that was read, and pulled another one past the page that came next.
  if (moved > 0 && paid.size > PAGE_SIZE) return unclear('a payment was cancelled while the list was read');
  return { kind: 'whole', count };
}

/**
 * The charges that PortOne will make by itself (§3.4): `GET /subscribe/payments/schedule` over the whole account, oldest
 * first, or `GET /subscribe/customers/{customer_uid}/schedules`, which has an order and names of its own.
 */
export async function listSchedules(
  get: Get,
  { customerUid, ...window }: Window & { readonly customerUid?: string },
  take: Take<ListedSchedule>,
): Promise<Listing> {
  return inStretches(window, LONGEST_OF_SCHEDULES, async ({ from, to }) => {
    const path =
      customerUid === undefined
        ? `/subscribe/payments/schedule?schedule_from=${from}&schedule_to=${to + 1}&schedule_status=scheduled&sorting=scheduled`
        : `/subscribe/customers/${encodeURIComponent(customerUid)}/schedules?from=${from}&to=${to + 1}&schedule-status=scheduled`;
    return everyPage(get, path, { read: readListedSchedule, idOf: ({ merchantUid }) => merchantUid, take });
  });
}

/** As far as one stretch goes, both ends rounded outwards. */
function lookingBack({ from, until }: Window): Window {
  return { from: DateTime.min(from, until.minus({ seconds: LONGEST_SECONDS - 1 })), until };
}

type Stretch = { readonly from: number; readonly to: number };

/** Both ends of each stretch are included, so that the next begins a second later. */
async function inStretches(
  window: Window,
  longest: number,
  list: (stretch: Stretch) => Promise<Listing>,
): Promise<Listing> {
  const until = Math.ceil(window.until.toSeconds());
  let count = 0;
  for (let from = Math.floor(window.from.toSeconds()); from <= until; from += longest + 1) {
    const listing = await list({ from, to: Math.min(from + longest, until) });
    if (listing.kind !== 'whole') return listing;
    count += listing.count;
  }
  return { kind: 'whole', count };
}

type Reading<Item> = {
  readonly read: (value: unknown) => Item | null;
  readonly idOf: (item: Item) => string;
  readonly take: Take<Item>;
};

/**
 * Pages that do not add up, or an item that cannot be read: something may be missing. What is added while pages are read,
 * as it always is while charges go on, pushes others back, so that they are listed twice and none is passed over; what
 * is taken away pulls them forward, past the page that is asked for next.
 */
async function everyPage<Item>(get: Get, path: string, { read, idOf, take }: Reading<Item>): Promise<Listing> {
  const seen = new Set<string>();
  let first: number | null = null;
  let total = 0;
  for (let number = 1; number <= MAX_PAGES; number += 1) {
    const page = pageIn(await get(`${path}&limit=${PAGE_SIZE}&page=${number}`));
    if (typeof page === 'string') return unclear(page);
    first ??= page.total;
    if (page.total < total) return unclear('entries were taken away from the list while it was read');
    total = page.total;
    const items = page.list.map(read).filter((item) => item !== null);
    await take(items);
    if (items.length < page.list.length) return unclear(`an entry of page ${number} cannot be read`);
    for (const item of items) seen.add(idOf(item));
    if (page.next === 0) return complete(seen.size, { first, total });
    if (page.next !== number + 1) return unclear(`page ${number} is followed by page ${page.next}`);
  }
  return unclear(`more than ${MAX_PAGES} pages`);
}

function complete(listed: number, { first, total }: { readonly first: number; readonly total: number }): Listing {
  return listed >= first && listed <= total
    ? { kind: 'whole', count: listed }
    : unclear(`${listed} entries were listed, ${total} announced`);
}

/** The page, or why it is none. V1's schema calls lists of schedules bare arrays, its clients read pages (§3.4). */
function pageIn(answer: Awaited<ReturnType<Get>>): PaymentPage | string {
  if (answer.kind === 'unclear') return answer.reason;
  const page = readableIn(answer);
  return page ?? `the list was answered with HTTP ${answer.status} and no page of it`;
}

function readableIn(answer: Answer): PaymentPage | null {
  const envelope = readEnvelope(answer);
  if (answer.status !== 200 || envelope?.code !== 0) return null;
  const { response } = envelope;
  if (!Array.isArray(response)) return readPage(response);
  return response.length < PAGE_SIZE ? { total: response.length, previous: 0, next: 0, list: response } : null;
}

function unclear(reason: string): { readonly kind: 'unclear'; readonly reason: string } {
  return { kind: 'unclear', reason };
}

/** V1 gives up to 1,000, but answers of more than a megabyte are not read, and a payment may take kilobytes. */
const PAGE_SIZE = 200;
const MAX_PAGES = 5_000;
const LONGEST_SECONDS = 90 * 86_400 - 1;
/** Three months at most (fact sheet §3.4), of which those from February on have 89 days. */
const LONGEST_OF_SCHEDULES = 88 * 86_400;
