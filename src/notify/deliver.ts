import type { Posted } from '../hooks/outgoing.ts';
import { sign } from '../hooks/signature.ts';
import type { Delivery, Tried } from '../store/deliveries.ts';
import type { Listener } from '../store/outbox.ts';
import { waitSeconds } from './back-off.ts';
import type { Endpoint, NotifyDeps, ToldFunction } from './deps.ts';
import { tellFunction } from './tell-function.ts';

/** Deliveries to one listener that one process has in hand at once, and with them its memory. */
const AT_ONCE = 8;
const TIMEOUT_MS = 15_000;
/** A lease outlives its try by far: what ends it is a process that died. */
const LEASE_SECONDS = 120;

/** Tries what is due at one listener now, a handful at a time side by side. Returns how many were tried. */
export async function deliverDue(
  deps: NotifyDeps,
  listener: Endpoint | ToldFunction,
  signal?: AbortSignal,
): Promise<number> {
  const hold = { limit: AT_ONCE, leaseSeconds: LEASE_SECONDS, fingerprint: deps.fingerprint };
  const leased = await deps.store.leaseDeliveries(listener, hold);
  if (leased.length > 0) await deps.failpoints.at('delivery.leased');
  await Promise.all(leased.map((delivery) => deliver(deps, listener, delivery, signal)));
  return leased.length;
}

async function deliver(
  deps: NotifyDeps,
  listener: Endpoint | ToldFunction,
  delivery: Delivery,
  signal?: AbortSignal,
): Promise<void> {
  const body = bodyOf(delivery);
  const telling =
    'call' in listener
      ? tellFunction(listener, delivery, body, signal)
      : postTo(deps, listener, delivery, body, signal);
  if ('call' in listener) await deps.failpoints.at('function.called');
  const tried = await telling;
  await deps.failpoints.at('delivery.answered');
  await deps.store.recordTry(delivery, tried);
  await deps.failpoints.at('delivery.recorded');
  if (tried.status === GONE) await leaveAlone(deps, listener);
  deps.report({
    kind: 'delivery.finished',
    endpoint: listener.name,
    eventId: delivery.eventId,
    event: delivery.kind,
    tries: delivery.tries,
    outcome: tried.kind,
    reason: tried.kind === 'delivered' ? null : tried.reason,
  });
}

async function postTo(
  { post }: NotifyDeps,
  { secrets, url, timeoutMs = TIMEOUT_MS, allow }: Endpoint,
  delivery: Delivery,
  body: string,
  signal?: AbortSignal,
): Promise<Tried> {
  const signed = sign(secrets(), { id: delivery.eventId, at: delivery.now, body });
  const posted = await post({
    url,
    headers: { 'content-type': 'application/json', 'user-agent': 'maedal', ...signed },
    body,
    timeoutMs,
    maxBytes: 0, // that it arrived is all there is to know
    allow,
    ...(signal === undefined ? {} : { signal }),
  });
  return judge(posted, delivery);
}

/** The body of an event: the same bytes in every repetition. */
function bodyOf({ eventId, kind, happenedAt, sequence, payload }: Delivery): string {
  return JSON.stringify({ id: eventId, type: kind, timestamp: happenedAt.toISOString(), sequence, data: payload });
}

/** Anything but a status of 200 to 299 is a failure, a redirect too. */
function judge(posted: Posted, { tries, eventId, now }: Delivery): Tried {
  const answered = posted.kind === 'answered' ? posted : null;
  const status = answered?.status ?? null;
  if (status !== null && status >= 200 && status <= 299) return { kind: 'delivered', status };
  const reason = posted.kind === 'failed' ? posted.reason : `answered ${posted.status}`;
  const retryAfter = answered?.headers['retry-after'] ?? null;
  return { kind: 'failed', status, reason, afterSeconds: waitSeconds(tries, eventId, retryAfter, now) };
}

async function leaveAlone({ store, report }: NotifyDeps, endpoint: Listener): Promise<void> {
  const reason = 'it answered 410 Gone';
  if (await store.disableEndpoint(endpoint, reason))
    report({ kind: 'endpoint.disabled', endpoint: endpoint.name, reason });
}

const GONE = 410;
