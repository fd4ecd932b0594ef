import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, systemClock } from '../../../src/clock.ts';
import { Books, BooksReader, type Violation } from './books.ts';
import { FAULT_CLASSES } from './faults/classes.ts';
import { Logs } from './logs.ts';
import { mayDouble } from './options.ts';
import { SendsOracle } from './oracle/sends.ts';
import { isSmall, type Phase, phasesOf } from './phases.ts';
import { standingOf } from './standing.ts';
import { subscriptionsCsv } from './subscribers.ts';
import type { World } from './world.ts';

/** Runs the phases of a plan: subscriptions fall due, faults strike, and the oracle watches all the while. */
export class Campaign {
  readonly reader: BooksReader;
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #sends: SendsOracle;
  readonly #logs: Logs;
  readonly #begunMs = systemClock.monotonicMs();
  readonly #pace: (typeof PACE)['small' | 'large'];
  #toldMs = 0;
  readonly #deeds = new Set<Promise<void>>();
  #billing: Promise<unknown> | null = null;
  #billedMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.#pace = isSmall(world.plan) ? PACE.small : PACE.large;
    this.reader = new BooksReader(world.sandbox.ledger, new Books(mayDouble(world.plan)));
    this.#sends = new SendsOracle(world.postgres, this.reader.books, world.orders);
    this.#logs = new Logs(join(world.directory, 'logs'));
  }

  /**
   * The phases that are left after `done`; `passed` hears of each that is over. Classes that go on striking in the next phase
   * are not interrupted between the two. Ends early at a violation.
   */
  async run(done: number, passed: (phases: number) => Promise<void>): Promise<void> {
    const phases = phasesOf(this.#world.plan);
    this.#world.fleet.start();
    for (const [index, phase] of phases.entries()) {
      if (index < done) continue;
      const goesOn = (other: Phase | undefined) => other?.classes === phase.classes;
      if (index === done || !goesOn(phases[index - 1])) await this.#begin(phase);
      await this.#run(phase);
      if (this.violations.length > 0) return;
      if (!goesOn(phases[index + 1])) await this.#end(phase);
      await passed(index + 1);
    }
  }

  /** Reads what is new in the gateway's file and in the logs, and judges it. */
  async watch(): Promise<void> {
    const { tally } = this.#world;
    await this.reader.read();
    this.violations.push(...this.reader.books.violations.splice(0), ...(await this.#sends.judge()));
    for await (const line of this.#logs.read()) {
      const name = /"name":"([a-z_.]+)","msg":"failpoint\.fired"/.exec(line)?.[1];
      if (name !== undefined) tally.add('failpoints', name);
    }
  }

  async #begin({ classes }: Phase): Promise<void> {
    for (const name of classes) await FAULT_CLASSES[name].faults.begin?.(this.#world);
  }

  async #end({ classes }: Phase): Promise<void> {
    await Promise.all(this.#deeds);
    for (const name of classes) await FAULT_CLASSES[name].faults.end?.(this.#world);
  }

  /** Faults strike while the subscriptions come in, or they would meet with none: charges are made within seconds. */
  async #run(phase: Phase): Promise<void> {
    const { fleet } = this.#world;
    let filledMs = Number.POSITIVE_INFINITY;
    const fill = async () => {
      await this.#import(phase);
      filledMs = systemClock.monotonicMs();
      const [scheduler] = fleet.living('scheduler');
      if (scheduler !== undefined) void fleet.deploy(scheduler); // it ticks when it starts
    };
    await Promise.all([fill(), this.#strike(phase, () => systemClock.monotonicMs() - filledMs)]);
  }

  /** Until the violations, the time or the charges of the phase say so; `spentMs` is negative until it is filled. */
  async #strike(phase: Phase, spentMs: () => number): Promise<void> {
    const world = this.#world;
    const { chance } = world;
    const striking = phase.classes.flatMap((name) => {
      const { faults, weight } = FAULT_CLASSES[name];
      return faults.strike === undefined ? [] : [[faults, weight] as const];
    });
    const [leastMs, mostMs] = phase.everyMs;
    let last = { atMs: 0, arrived: 0 };
    for (;;) {
      await pause(systemClock, chance.between(leastMs, mostMs));
      if (striking.length > 0 && this.#isAtWork(last)) {
        last = { atMs: systemClock.monotonicMs(), arrived: this.reader.books.arrived };
        const deed = Promise.resolve(chance.weighed(striking).strike?.(world)).finally(() => this.#deeds.delete(deed));
        this.#deeds.add(deed);
      }
      this.#bill();
      await this.watch();
      await this.#hurry();
      await this.#tell(phase.name);
      if (this.violations.length > 0 || spentMs() > phase.atMostMs) return;
      const enough = (phase.until - phase.from) * 0.3;
      if (spentMs() >= phase.atLeastMs && (await this.#waiting()) <= enough) return;
    }
  }

  /**
   * Passes over the minutes for which what was put off waits, where hardly anything is left to do meanwhile. Not while a
   * request may be on its way: minutes between two of its bytes are more than a gateway takes.
   */
  async #hurry(): Promise<void> {
    const { fleet, clock } = this.#world;
    const { due, undrawn, busy } = await standingOf(this.#world, this.reader.books);
    if (due + undrawn > HARDLY_ANY || busy > 0 || fleet.slots.some(({ paused }) => paused)) return;
    await clock.jump(STRIDE_MS);
  }

  /** Whether a call has reached the gateway since the last blow, or long enough was waited for one. */
  #isAtWork(last: { readonly atMs: number; readonly arrived: number }): boolean {
    return this.reader.books.arrived > last.arrived || systemClock.monotonicMs() - last.atMs > this.#pace.patienceMs;
  }

  async #import({ from, until }: Phase): Promise<void> {
    const { directory, chance, clock, fleet, postgres, sandbox } = this.#world;
    const file = join(directory, 'subscriptions.csv');
    await writeFile(file, subscriptionsCsv(chance.fork(`subscriptions ${from}`), { from, until }, clock.nowMs()));
    // Past the proxies: what is under test is what follows. Not past a database that dies.
    const direct = { DATABASE_URL: postgres.url, PORTONE_BASE_URL: sandbox.url };
    for (let tries = 1; ; tries += 1) {
      const [row] = await postgres.query<{ count: number }>('SELECT count(*)::integer AS count FROM subscription');
      if ((row?.count ?? 0) >= until) return; // the run may have been cut off right after
      if (tries > IMPORTS) throw new Error('`maedal import` fails again and again: see logs/import.log');
      await fleet.run(['import', file], direct);
    }
  }

  /** `maedal bill` beside the workers, as somebody's cron would run it. */
  #bill(): void {
    const { fleet } = this.#world;
    if (this.#billing !== null || systemClock.monotonicMs() - this.#billedMs < this.#pace.billEveryMs) return;
    this.#billing = fleet.command(['bill']).finally(() => {
      this.#billing = null;
      this.#billedMs = systemClock.monotonicMs();
    });
  }

  async #waiting(): Promise<number> {
    const [row] = await this.#world.postgres.query<{ waiting: number }>(WAITING);
    return row?.waiting ?? 0;
  }

  async #tell(phase: string): Promise<void> {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = nowMs;
    const { tally, say, postgres } = this.#world;
    const states = await postgres.query<{ state: string; count: number }>(
      'SELECT state, count(*)::integer AS count FROM attempt GROUP BY state ORDER BY state',
    );
    const told = states.map(({ state, count }) => `${count} ${state}`).join(', ');
    const { books } = this.reader;
    const seconds = Math.round((nowMs - this.#begunMs) / 1_000);
    say(
      `${seconds} s  ${phase}: ${books.inOrder.length} sends, ${books.captured} captures; ${told}; ` +
        `${tally.total('process')} process faults, ${tally.total('wire')} on the wire, ${tally.total('failpoints')} failpoints`,
    );
  }
}

const WAITING = `
  SELECT (SELECT count(*) FROM attempt WHERE number = 1 AND state = 'prepared' AND send_count = 0)::integer
       + (SELECT count(*) FROM subscription WHERE next_due_at <= maedal_now())::integer AS waiting`;
/**
 * What is struck again before it has come to work gets nowhere, on a machine with much else to do: a process has its work
 * in hand some seconds after its start. A small run has no time for that, and bills as often as it can.
 */
const PACE = {
  small: { patienceMs: 3_000, billEveryMs: 8_000 },
  large: { patienceMs: 7_000, billEveryMs: 20_000 },
} as const;
const TELL_EVERY_MS = 3_000;
const IMPORTS = 10;
const HARDLY_ANY = 5;
const STRIDE_MS = 30_000;
