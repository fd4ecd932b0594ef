import { pause, systemClock } from '../../../src/clock.ts';
import type { CampaignPostgres } from './postgres.ts';
import { setPace } from './process-clock.ts';
import type { CampaignSandbox } from './sandbox.ts';

/**
 * The time by which money is decided, for the database, the sandbox and the processes' own counting alike: it runs `rate`
 * times as fast as the wall clock while faults strike, so that leases and horizons pass within seconds, and jumps over
 * idle spans afterwards. Timers and time limits of calls are by the wall clock, as they are in life.
 */
export class CampaignClock {
  readonly #postgres: CampaignPostgres;
  readonly #sandbox: CampaignSandbox;
  readonly #file: string;
  #base = 0;
  #origin = 0;
  #rate = 1;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(postgres: CampaignPostgres, sandbox: CampaignSandbox, file: string) {
    this.#file = file;
    this.#postgres = postgres;
    this.#sandbox = sandbox;
  }

  /** Takes over a migrated database's clock, or goes on with it, and takes along the sandbox and who follows `file`. */
  static async start(
    { postgres, sandbox, file }: { postgres: CampaignPostgres; sandbox: CampaignSandbox; file: string },
    rate: number,
  ): Promise<CampaignClock> {
    await postgres.query(
      'CREATE TABLE IF NOT EXISTS campaign_clock (base timestamptz, origin timestamptz, rate float8)',
    );
    await postgres.query(`INSERT INTO campaign_clock SELECT clock_timestamp(), clock_timestamp(), 1
                           WHERE NOT EXISTS (SELECT FROM campaign_clock)`);
    await postgres.query(`CREATE OR REPLACE FUNCTION maedal_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
      AS 'SELECT base + (clock_timestamp() - origin) * rate FROM campaign_clock'`);
    const clock = new CampaignClock(postgres, sandbox, file);
    await clock.setRate(rate);
    clock.#running = clock.#lead();
    return clock;
  }

  /** Milliseconds since 1970 by this clock. */
  nowMs(): number {
    return this.#base + (Date.now() - this.#origin) * this.#rate;
  }

  async setRate(rate: number): Promise<void> {
    await this.#change('base = maedal_now(), origin = clock_timestamp(), rate = $1', rate);
  }

  /** Moves on at once by so many ms, the sandbox too; the two are never minutes apart. */
  async jump(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STRIDE_MS) {
      await this.#change('base = base + make_interval(secs => $1)', Math.min(left, STRIDE_MS) / 1_000);
      await this.#sandbox.setClock(this.nowMs());
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #change(set: string, value: number): Promise<void> {
    const [row] = await this.#postgres.query<{ base: Date; origin: Date; rate: number }>(
      `UPDATE campaign_clock SET ${set} RETURNING base, origin, rate`,
      [value],
    );
    if (row === undefined) throw new Error('the campaign has no clock');
    [this.#base, this.#origin, this.#rate] = [row.base.getTime(), row.origin.getTime(), row.rate];
    setPace(this.#file, { base: this.#base, origin: this.#origin, rate: this.#rate });
  }

  async #lead(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#sandbox.setClock(this.nowMs());
      await pause(systemClock, LEAD_MS, this.#stopping.signal);
    }
  }
}

const LEAD_MS = 200;
/** Processes stop sending when the two clocks are five minutes apart. */
const STRIDE_MS = 240_000;
