import type { Entry, Payment } from '../../../../src/sandbox/entry.ts';
import { Books } from '../books.ts';

const NOBODY = { name: null, tel: null, email: null, addr: null, postcode: null };
const CARD = { name: 'approve', masked: '' };

function payment(impUid: string, fields: Partial<Payment> = {}): Payment {
  return {
    ...{ impUid, merchantUid: `uid of ${impUid}`, customerUid: 'card-1', usage: 'payment', card: CARD, cardQuota: 0 },
    ...{ pgProvider: 'nice', pgId: 'MID', pgTid: 'tid', applyNum: null, name: 'tea', minor: 9_900, currency: 'KRW' },
    ...{ buyer: NOBODY, customData: JSON.stringify({ subscription: 'sub-1', period: '2027-01-31' }), noticeUrl: null },
    ...{
      userAgent: null,
      status: 'paid',
      startedAtMs: 1,
      paidAtMs: 1,
      failedAtMs: null,
      failReason: null,
      cancels: [],
    },
    ...{ settlesAtMs: null, reversesAtMs: null, cause: { by: 'request', serial: 1 }, ...fields },
  };
}

/** A capture, unless `fields` say otherwise, for one period of `sub-1`. */
export function paid(impUid: string, fields: Partial<Payment> = {}): Entry {
  return { kind: 'payment', payment: payment(impUid, fields) };
}

/** All of it. */
export function givenBack(impUid: string): Entry {
  const cancel = { cancellationId: 'c', pgTid: 't', minor: 9_900, reason: 'twice', atMs: 2 };
  return { kind: 'cancelled', impUid, cancel };
}

/** A charge for it that arrived, and was not answered so far. */
export function request(serial: number): Extract<Entry, { kind: 'request' }> {
  const { merchantUid, customerUid, minor, currency, customData } = payment('imps_1');
  const when = { hostMs: 1_000 * serial, sandboxMs: 0 };
  return {
    kind: 'request',
    serial,
    route: 'again',
    ...when,
    merchantUid,
    customerUid,
    impUid: null,
    minor,
    currency,
    customData,
  };
}

/** The books of a gateway that never captures twice. */
export function booksOf(entries: readonly Entry[]): Books {
  const books = new Books(false);
  for (const entry of entries) books.add(entry);
  return books;
}
