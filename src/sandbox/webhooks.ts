import { Agent } from 'undici';
import type { Entry, Payment } from './entry.ts';
import type { Faults, Hit } from './faults/faults.ts';
import type { Ledger } from './ledger.ts';
import type { SandboxModes } from './modes.ts';
import type { SandboxTime } from './time.ts';

/** What of the sandbox it needs. */
type Parts = {
  readonly ledger: Ledger;
  readonly time: SandboxTime;
  readonly modes: SandboxModes;
  readonly faults: Faults;
};

/** What a webhook says. */
type Webhook = {
  readonly imp_uid: string;
  readonly merchant_uid: string;
  readonly status: string;
  readonly cancellation_id?: string;
};

/** A delivery that was tried, as the control plane shows it; `answer` null where there was none. */
type Delivery = {
  readonly url: string;
  readonly body: Webhook;
  readonly try: number;
  readonly answer: number | null;
};

/**
 * PortOne's webhooks (fact sheet §7): unsigned, to `notice_url` or else to the console's address (mode `webhookUrl`), for
 * captures, failed schedules and cancels in the console. Nothing is sent where neither names an address. Deliveries that
 * have not been made are in memory: a restart forgets them.
 */
export class Webhooks {
  readonly deliveries: Delivery[] = [];
  readonly #agent = new Agent({ connect: { timeout: 10_000 }, connections: 8 });
  #held: (() => void)[] = [];

  /** Tells of what an entry did to a payment, `before` as it stood. */
  ofEntry(core: Parts, entry: Entry, before: Payment | undefined): void {
    if (entry.kind !== 'payment') return;
    const { payment } = entry;
    const isCaptured = payment.status === 'paid' && before?.status !== 'paid';
    const isFailedSchedule = payment.status === 'failed' && before === undefined && payment.cause.by === 'schedule';
    if (isCaptured || isFailedSchedule) this.tell(core, payment, { status: payment.status });
  }

  /** Sends a webhook about a payment, as soon as what it tells is durable, unless a fault has another wish. */
  tell(core: Parts, payment: Payment, said: Pick<Webhook, 'status' | 'cancellation_id'>): void {
    const url = payment.noticeUrl ?? core.modes.webhookUrl;
    if (url === '') return;
    const body = { imp_uid: payment.impUid, merchant_uid: payment.merchantUid, ...said };
    const subject = { merchantUid: payment.merchantUid, customerUid: payment.customerUid, card: payment.card.name };
    const hit = core.faults.strike(body, { on: 'webhook', ...subject }, { isRead: true, nowMs: core.time.nowMs() });
    const send = () => void this.#deliver(core, url, body, 1);
    core.ledger.synced().then(
      () => this.#send(core, { url, body, hit, send }),
      () => undefined,
    );
  }

  /** Begins no more and lets go of the connections. */
  async close(): Promise<void> {
    this.#held = [];
    await this.#agent.destroy();
  }

  #send(
    core: Parts,
    { url, body, hit, send }: { url: string; body: Webhook; hit: Hit | null; send: () => void },
  ): void {
    const held = this.#held.splice(0);
    const delayMs = hit?.what === 'webhook_late' ? hit.param('delay_ms') : 0;
    if (hit?.what === 'webhook_reordered') this.#held.push(send);
    else if (delayMs > 0) core.time.at(core.time.nowMs() + delayMs, send);
    else if (hit?.what !== 'webhook_lost') send();
    if (hit?.what === 'webhook_doubled') send();
    for (const forged of hit === null ? [] : forgeries(hit, body)) void this.#deliver(core, url, forged, 1);
    for (const late of held) late();
  }

  /** No answer, or one of 5xx, is tried again a minute later by the sandbox's clock. */
  async #deliver(core: Parts, url: string, body: Webhook, nth: number): Promise<void> {
    const answer = await this.#post(core, url, body, nth === 1 ? 30_000 : 15_000);
    this.deliveries.push({ url, body, try: nth, answer });
    if (this.deliveries.length > MOST_KEPT) this.deliveries.shift();
    if ((answer !== null && answer < 500) || nth > core.modes.webhookRetries) return;
    core.time.at(core.time.nowMs() + APART_MS, () => void this.#deliver(core, url, body, nth + 1));
  }

  async #post(core: Parts, url: string, body: Webhook, timeoutMs: number): Promise<number | null> {
    const isForm = core.modes.webhookType === 'form';
    try {
      const { origin, pathname, search } = new URL(url);
      const answer = await this.#agent.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers: { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
        body: isForm ? new URLSearchParams(body).toString() : JSON.stringify(body),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      return null;
    }
  }
}

/** Webhooks of somebody else: about this payment, or about one that is no payment here. */
function forgeries(hit: Hit, { imp_uid, merchant_uid }: Webhook): readonly Webhook[] {
  if (hit.what === 'webhook_foreign')
    return [{ imp_uid: 'imps_999999999999', merchant_uid: 'another-shop', status: 'paid' }];
  if (hit.what !== 'webhook_forged') return [];
  return ['cancelled', 'failed', 'paid'].map((status) => ({ imp_uid, merchant_uid, status }));
}

const APART_MS = 60_000;
const MOST_KEPT = 1_000;
