import type { Posted } from '../hooks/outgoing.ts';
import { sign } from '../hooks/signature.ts';
import type { Delivery, Tried } from '../store/deliveries.ts';
import { waitSeconds } from './back-off.ts';
import type { Endpoint, NotifyDeps } from './deps.ts';

/** Deliveries to one endpoint that one process has in hand at once, and with them its memory. */
const AT_ONCE = 8;
const TIMEOUT_MS = 15_000;
/** A lease outlives its try by far: what ends it is a process that died. */
const LEASE_SECONDS = 60;

/** Tries what is due at one endpoint now, a handful at a time side by side. Returns how many were tried. */
export async function deliverDue(deps: NotifyDeps, endpoint: Endpoint, signal?: AbortSignal): Promise<number> {
  const hold = { limit: AT_ONCE, leaseSeconds: LEASE_SECONDS, fingerprint: deps.fingerprint };
  const leased = await deps.store.leaseDeliveries(endpoint, hold);
  await Promise.all(leased.map((delivery) => deliver(deps, endpoint, delivery, signal)));
  return leased.length;
}

async function deliver(deps: NotifyDeps, endpoint: Endpoint, delivery: Delivery, signal?: AbortSignal): Promise<void> {
  const body = bodyOf(delivery);
  const signed = sign(endpoint.secrets(), { id: delivery.eventId, at: delivery.now, body });
  const posted = await deps.post({
    url: endpoint.url,
    headers: { 'content-type': 'application/json', 'user-agent': 'maedal', ...signed },
    body,
    timeoutMs: TIMEOUT_MS,
    maxBytes: 0, // that it arrived is all there is to know
    allow: endpoint.allow,
    ...(signal === undefined ? {} : { signal }),
  });
  const tried = judge(posted, delivery);
  await deps.store.recordTry(delivery, tried);
  if (tried.status === GONE) await leaveAlone(deps, endpoint);
  deps.report({
    kind: 'delivery.finished',
    endpoint: endpoint.name,
    eventId: delivery.eventId,
    event: delivery.kind,
    tries: delivery.tries,
    outcome: tried.kind,
    reason: tried.kind === 'failed' ? tried.reason : null,
  });
}

/** The body of an event: the same bytes in every repetition. */
export function bodyOf({ eventId, kind, happenedAt, sequence, payload }: Delivery): string {
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

async function leaveAlone({ store, report }: NotifyDeps, endpoint: Endpoint): Promise<void> {
  const reason = 'it answered 410 Gone';
  if (await store.disableEndpoint(endpoint, reason))
    report({ kind: 'endpoint.disabled', endpoint: endpoint.name, reason });
}

const GONE = 410;
