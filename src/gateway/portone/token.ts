import type { Clock } from '../../clock.ts';
import type { Readiness } from '../gateway.ts';
import type { Http } from './http.ts';
import { exchangeRepeatable, JSON_HEADERS } from './repeatable.ts';
import { readEnvelope, readToken } from './wire.ts';

/** The one token of this process, asked for when needed and shared by all callers. */
export type Tokens = {
  /** As `Gateway.ready`. However many call at once, one `getToken` is under way. */
  ready(options?: { readonly refresh?: boolean }): Promise<Readiness>;
  /** The token in hand, possibly past its time; null before the first `ready`. */
  inHand(): string | null;
  /** The gateway said 401 to this token: the next `ready` asks for another. */
  refused(token: string): void;
};

type Held = {
  readonly token: string;
  /** The gateway's clock when it answered. */
  readonly gatewayNowMs: number;
  readonly answeredAtMs: number;
  /** From here on, by the monotonic clock, `ready` asks again. */
  askAgainAtMs: number;
};

/**
 * Tokens of PortOne (fact sheet §1): 30 minutes, counted as `expired_at − now` by the monotonic clock from before the
 * question left, so that no wrong clock matters. Whoever calls `ready` gets two minutes, with one exception: PortOne
 * gives the same token back until its last minute, and only then adds five; what it confirms in the minute before that
 * is used as it is, down to that last minute.
 */
export function createTokens(http: Http, key: string, secret: string, clock: Clock): Tokens {
  let held: Held | null = null;
  let asking: Promise<Readiness> | null = null;

  const ask = async (): Promise<Readiness> => {
    const askedAtMs = clock.monotonicMs();
    const answer = await getToken(http, key, secret);
    if (answer.kind !== 'token') {
      if (held !== null) held.askAgainAtMs = askedAtMs;
      return answer;
    }
    const { access_token: token, now, expired_at: expiredAt } = answer.token;
    const leftMs = (expiredAt - now) * 1_000;
    if (leftMs <= 0) return { kind: 'unreachable', reason: 'getToken gave a token whose time is over' };
    const gatewayNowMs = now * 1_000;
    const askAgainAtMs = askedAtMs + leftMs - renewWithin(leftMs);
    held = { token, gatewayNowMs, answeredAtMs: clock.monotonicMs(), askAgainAtMs };
    return { kind: 'ready', gatewayNowMs };
  };

  return {
    ready: async (options) => {
      const nowMs = clock.monotonicMs();
      if (held !== null && nowMs < held.askAgainAtMs && options?.refresh !== true) {
        return { kind: 'ready', gatewayNowMs: Math.round(held.gatewayNowMs + nowMs - held.answeredAtMs) };
      }
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
    inHand: () => held?.token ?? null,
    refused: (token) => {
      if (held?.token === token) held.askAgainAtMs = clock.monotonicMs();
    },
  };
}

/** How much of a token's life is left when the next one is asked for. */
function renewWithin(leftMs: number): number {
  if (leftMs > ENOUGH_MS) return ENOUGH_MS;
  return leftMs > LAST_MINUTE_MS + 1_000 ? LAST_MINUTE_MS - 1_000 : leftMs / 2;
}

type TokenAnswer =
  | { readonly kind: 'token'; readonly token: NonNullable<ReturnType<typeof readToken>> }
  | Exclude<Readiness, { kind: 'ready' }>;

async function getToken(http: Http, key: string, secret: string): Promise<TokenAnswer> {
  const body = JSON.stringify({ imp_key: key, imp_secret: secret });
  const request = {
    method: 'POST',
    path: '/users/getToken',
    headers: JSON_HEADERS,
    body,
    timeoutMs: LIMIT_MS,
  } as const;
  const exchange = await exchangeRepeatable(http, request);
  if (exchange.kind !== 'answer') return { kind: 'unreachable', reason: `getToken: ${exchange.reason}` };
  if (exchange.status === 401)
    return { kind: 'refused', reason: 'PortOne refused the key pair (getToken answered 401)' };
  const envelope = exchange.status === 200 ? readEnvelope(exchange) : null;
  const token = envelope?.code === 0 ? readToken(envelope.response) : null;
  // The answer's own words are not repeated: they may hold what was sent.
  if (token === null)
    return { kind: 'unreachable', reason: `getToken answered HTTP ${exchange.status} without a token` };
  return { kind: 'token', token };
}

const ENOUGH_MS = 120_000;
const LAST_MINUTE_MS = 60_000;
const LIMIT_MS = 10_000;
