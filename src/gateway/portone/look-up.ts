import type { LookUpAnswer, PaymentRecord } from '../../billing/charge.ts';
import type { Get } from './authorized-get.ts';
import type { DeclineLines } from './declines/lines.ts';
import { type PaymentPage, readEnvelope, readPage, readPayment, refusalIn } from './wire.ts';

/**
 * Every payment under one `merchant_uid`: `findAll`, all statuses, all pages (protocol §2.7, rule 1). `absent` only for
 * PortOne's own 404 on the first page. Pages that do not add up, an empty list, a record of another uid or one that
 * cannot be read make the whole answer `unclear`: a paid record might be what is missing.
 */
export async function findAll(get: Get, merchantUid: string, lines: DeclineLines): Promise<LookUpAnswer> {
  const records = new Map<string, PaymentRecord>();
  let total: number | null = null;
  for (let number = 1; number <= MAX_PAGES; number += 1) {
    const page = await readOnePage(get, merchantUid, number);
    if (page.kind !== 'page') return page.kind === 'absent' && number > 1 ? unclear('a page vanished') : page;
    total ??= page.total;
    if (page.total !== total) return unclear('the number of payments changed from page to page');
    for (const value of page.list) {
      const record = readPayment(value, lines);
      if (record === null) return unclear('a payment cannot be read');
      if (record.merchantUid !== merchantUid) return unclear('a payment of another merchant_uid was listed');
      if (records.has(record.impUid)) return unclear('a payment was listed twice');
      records.set(record.impUid, record);
    }
    if (page.next === 0) return complete([...records.values()], total);
    if (page.next !== number + 1) return unclear(`page ${number} is followed by page ${page.next}`);
  }
  return unclear(`more than ${MAX_PAGES} pages`);
}

function complete(records: readonly PaymentRecord[], total: number): LookUpAnswer {
  if (records.length === 0) return unclear('the list is empty, which is not how an unknown id is answered');
  if (records.length !== total) return unclear(`${records.length} payments were listed, ${total} announced`);
  return { kind: 'found', records };
}

type OnePage = ({ readonly kind: 'page' } & PaymentPage) | Exclude<LookUpAnswer, { kind: 'found' }>;

async function readOnePage(get: Get, merchantUid: string, number: number): Promise<OnePage> {
  const path = `/payments/findAll/${encodeURIComponent(merchantUid)}?limit=${PAGE_SIZE}&page=${number}&sorting=-started`;
  const answer = await get(path);
  if (answer.kind === 'unclear') return answer;
  const envelope = readEnvelope(answer);
  if (answer.status === 404 && refusalIn(envelope) !== null) return { kind: 'absent' };
  const page = answer.status === 200 && envelope?.code === 0 ? readPage(envelope.response) : null;
  return page === null ? unclear(`findAll answered HTTP ${answer.status} without a list`) : { kind: 'page', ...page };
}

function unclear(reason: string): { kind: 'unclear'; reason: string } {
  return { kind: 'unclear', reason };
}

const PAGE_SIZE = 100;
const MAX_PAGES = 20;
