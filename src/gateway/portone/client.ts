import type { ChargeRequest } from '../../billing/charge.ts';
import { money, toMajor } from '../../billing/money.ts';
import type { Clock } from '../../clock.ts';
import type { Gateway } from '../gateway.ts';
import { authorizedGet } from './authorized-get.ts';
import { authorizedPost } from './authorized-post.ts';
import { readBillingKey } from './billing-key.ts';
import { CANCEL, cancelBody, classifyCancel } from './cancel.ts';
import { type DeclineLines, NO_LINES } from './declines/lines.ts';
import { type Http, openHttp } from './http.ts';
import { listPayments, listSchedules } from './listing.ts';
import { findAll } from './look-up.ts';
import { classify } from './outcome.ts';
import { readOnePayment } from './payment.ts';
import { createTokens, type Tokens } from './token.ts';
import { patternOf, veil } from './veil.ts';

/**
 * PortOne's REST API V1 at `baseUrl` (or a sandbox that speaks it), on at most `connections` kept connections. Connects
 * on the first call. `declines` is what the merchant says of declines. Throws InputError for a bad base URL.
 */
export function createPortOne(options: {
  readonly baseUrl: string;
  readonly key: string;
  readonly secret: string;
  readonly clock: Clock;
  readonly connections: number;
  readonly declines?: DeclineLines;
  /** Where PortOne is asked to tell of each charge; left out or null, wherever its console says. */
  readonly noticeUrl?: string | null;
}): Gateway {
  const { key, secret, clock, declines = NO_LINES, noticeUrl = null } = options;
  const bare = openHttp(options);
  const tokens = createTokens(bare, key, secret, clock);
  const http = veiled(bare, [key, secret], tokens);
  const get = authorizedGet(http, tokens);
  const post = authorizedPost(http, tokens);
  return {
    ready: (asked) => tokens.ready(asked),
    charge: (request, timeoutMs, mayStart) =>
      post(
        { path: AGAIN, body: { ...chargeBody(request), notice_url: noticeUrl ?? undefined }, timeoutMs, mayStart },
        (exchange) => classify(exchange, request.merchantUid, declines),
      ),
    cancel: (request, timeoutMs, mayStart) =>
      post({ path: CANCEL, body: cancelBody(request), timeoutMs, mayStart }, (exchange) =>
        classifyCancel(exchange, request.impUid),
      ),
    payment: (impUid) => readOnePayment(get, impUid, declines),
    lookUp: (merchantUid) => findAll(get, merchantUid, declines),
    billingKey: (customerUid) => readBillingKey(get, customerUid),
    payments: (window, take) => listPayments(get, window, take),
    schedules: (window, take) => listSchedules(get, window, take),
    close: () => bare.close(),
  };
}

/** Exchanges whose answers no longer hold our secrets, should they be echoed. */
function veiled(http: Http, fixed: readonly string[], tokens: Tokens): Http {
  let known = '';
  let pattern = patternOf(fixed);
  return {
    ...http,
    exchange: async (request) => {
      const exchange = await http.exchange(request);
      if (exchange.kind !== 'answer') return exchange;
      const current = [request.headers.authorization?.replace('Bearer ', '') ?? '', tokens.inHand() ?? ''];
      if (known !== current.join(' ')) {
        known = current.join(' ');
        pattern = patternOf([...fixed, ...current]);
      }
      return { ...exchange, body: veil(exchange.body, pattern) };
    },
  };
}

/** Amounts in major units (fact sheet §3.1). A field that is not set is left out: PortOne then takes its own default. */
function chargeBody(request: ChargeRequest): Record<string, string | number | undefined> {
  const { currency } = request.amount;
  return {
    customer_uid: request.customerUid,
    merchant_uid: request.merchantUid,
    amount: toMajor(request.amount),
    currency,
    name: request.name,
    tax_free: toMajor(money(request.taxFreeMinor, currency)),
    vat_amount: request.vatMinor === null ? undefined : toMajor(money(request.vatMinor, currency)),
    buyer_name: request.buyerName ?? undefined,
    buyer_email: request.buyerEmail ?? undefined,
    buyer_tel: request.buyerTel ?? undefined,
    custom_data: request.customData,
  };
}

const AGAIN = '/subscribe/payments/again';
