import type { Answer } from './exchange.ts';
import type { Http } from './http.ts';
import { exchangeRepeatable, JSON_HEADERS } from './repeatable.ts';
import type { Tokens } from './token.ts';

/** Reads below the base URL with the shared token. */
export type Get = (path: string) => Promise<Answer | { readonly kind: 'unclear'; readonly reason: string }>;

/** A GET with the shared token; after a 401 once more with a new one. */
export function authorizedGet(http: Http, tokens: Tokens): Get {
  const get = async (path: string, refresh: boolean): ReturnType<Get> => {
    const readiness = await tokens.ready({ refresh });
    const token = tokens.inHand();
    if (readiness.kind !== 'ready') return { kind: 'unclear', reason: readiness.reason };
    if (token === null) return { kind: 'unclear', reason: 'there is no token' };
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` };
    const answer = await exchangeRepeatable(http, { method: 'GET', path, headers, timeoutMs: LIMIT_MS });
    if (answer.kind !== 'answer') return { kind: 'unclear', reason: answer.reason };
    if (answer.status !== 401) return answer;
    tokens.refused(token);
    return refresh ? { kind: 'unclear', reason: 'the token was refused twice' } : get(path, true);
  };
  return (path) => get(path, false);
}

const LIMIT_MS = 30_000;
