import { pause, systemClock } from '../../../src/clock.ts';

/** The console's HTTP API, as somebody's program uses it: under one key until there is an answer, but not for ever. */
export class CampaignConsole {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Whether it was said to be done; refused and never answered alike are not. */
  async order(subscription: string, name: string, body: Readonly<Record<string, string>>): Promise<boolean> {
    const key = crypto.randomUUID();
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const response = await this.#post(`/v1/subscriptions/${subscription}/${name}`, body, key).catch(() => null);
      if (response?.ok === true) return true;
      const isAnswer = response !== null && response.status < 500 && !response.headers.has('retry-after');
      if (isAnswer) return false;
      await pause(systemClock, AGAIN_MS);
    }
    return false;
  }

  async #post(path: string, body: unknown, key: string): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${this.#url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal,
    });
    await response.arrayBuffer();
    return response;
  }
}

const TRIES = 4;
const AGAIN_MS = 700;
const PATIENCE_MS = 5_000;
