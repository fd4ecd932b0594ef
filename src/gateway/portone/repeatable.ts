import type { Exchange, HttpRequest } from './exchange.ts';
import type { Http } from './http.ts';

/** Sent with every request; no compression is offered, so that a small answer cannot unpack into a huge one. */
export const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'maedal',
} as const;

/**
 * For requests that change nothing: one more try when the connection failed, as a kept one does that the server has
 * closed meanwhile. Never for a charge.
 */
export async function exchangeRepeatable(http: Http, request: HttpRequest): Promise<Exchange> {
  const first = await http.exchange(request);
  return first.kind === 'lost' && !first.timedOut ? http.exchange(request) : first;
}
