import type { Exchange } from './exchange.ts';
import type { Http } from './http.ts';
import { JSON_HEADERS } from './repeatable.ts';
import type { Tokens } from './token.ts';

/** Moves money below the base URL with the token in hand: exactly one POST, whatever comes back. */
export type Post = <Answered extends { readonly kind: string }>(
  request: { readonly path: string; readonly body: unknown; readonly timeoutMs: number },
  read: (exchange: Exchange) => Answered,
) => Promise<Answered | { readonly kind: 'not-sent'; readonly reason: string }>;

/** A POST that is never repeated; a token that was refused is replaced by the next `ready`. */
export function authorizedPost(http: Http, tokens: Tokens): Post {
  return async ({ path, body, timeoutMs }, read) => {
    const token = tokens.inHand();
    if (token === null) return { kind: 'not-sent', reason: 'there is no token: call ready() first' };
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` };
    const answer = read(await http.exchange({ method: 'POST', path, headers, body: JSON.stringify(body), timeoutMs }));
    if (answer.kind === 'unauthorized') tokens.refused(token);
    return answer;
  };
}
