import type { Exchange, HttpRequest } from './exchange.ts';
import type { Http } from './http.ts';
import { JSON_HEADERS } from './repeatable.ts';
import type { Tokens } from './token.ts';

/** Moves money below the base URL with the token in hand: exactly one POST, whatever comes back. */
export type Post = <Answered extends { readonly kind: string }>(
  request: Pick<HttpRequest, 'path' | 'timeoutMs'> & { readonly body: unknown; readonly mayStart: () => boolean },
  read: (exchange: Exchange) => Answered,
) => Promise<Answered | { readonly kind: 'not-sent'; readonly reason: string }>;

/** A POST that is never repeated; a token that was refused is replaced by the next `ready`. */
export function authorizedPost(http: Http, tokens: Tokens): Post {
  return async ({ path, body, ...limits }, read) => {
    const token = tokens.inHand();
    if (token === null) return { kind: 'not-sent', reason: 'there is no token: call ready() first' };
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` };
    const request = { method: 'POST', path, headers, body: JSON.stringify(body), ...limits } as const;
    const answer = read(await http.exchange(request));
    if (answer.kind === 'unauthorized') tokens.refused(token);
    return answer;
  };
}
