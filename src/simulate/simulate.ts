import { randomBytes } from 'node:crypto';
import type { DateTime } from 'luxon';
import type { CallHook } from '../app/hook-caller.ts';
import { type App, openApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import type { Report } from '../events.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import { readSimulatedAttempts, type SimulatedAttempt } from '../store/simulated-attempts.ts';
import { readSimulatedSteps, type SimulatedStep } from '../store/simulated-steps.ts';
import { createThrowAway, type ThrowAway } from '../store/throw-away.ts';
import { Activity } from './activity.ts';
import { countedDb } from './counted-db.ts';
import { type Outage, Stage } from './stage.ts';
import { VirtualClock } from './virtual-clock.ts';

export type SimulationOptions = {
  /** Its places, keys and mode are not used. */
  readonly config: Config;
  /** A PostgreSQL on which a database may be made and thrown away. */
  readonly serverUrl: string;
  readonly from: DateTime;
  /** Exclusive. */
  readonly until: DateTime;
  /** Brings rows into the empty database, by its URL, before anything else looks at it. */
  readonly seed?: (url: string) => Promise<void>;
  /** Brings subscribers in, as a command would. */
  readonly fill: (app: App) => Promise<void>;
  /** When all processes are down. */
  readonly outages?: readonly Outage[];
  readonly report: Report;
  readonly stopped?: AbortSignal;
};

/** What fell due between the two instants, as far as it came. */
export type Simulation = {
  readonly attempts: readonly SimulatedAttempt[];
  readonly steps: readonly SimulatedStep[];
  readonly subscriptions: number;
};

/**
 * Runs scheduler, worker, reconciler and store on a virtual clock, against a sandbox and a database of their own: the
 * flows that charge, to the line. Nothing is sent anywhere else, and nothing is left behind. The same input gives the
 * same answer.
 */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { from, until, outages = [] } = options;
  const clock = new VirtualClock(from.toMillis());
  const activity = new Activity();
  const database = await createThrowAway(options.serverUrl, from.toMillis());
  try {
    await options.seed?.(database.url);
    const held = (by: 1 | -1) => activity.held(by);
    const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, directory: null, clock, held, keys: KEYS });
    try {
      return await play(options, { clock, activity, database, sandbox }, { untilMs: until.toMillis(), outages });
    } finally {
      await sandbox.close();
    }
  } finally {
    await database.drop();
  }
}

type World = {
  readonly clock: VirtualClock;
  readonly activity: Activity;
  readonly database: ThrowAway;
  readonly sandbox: Sandbox;
};

/** Functions run, told that nobody is charged, and time waits for them; nothing leaves for a URL, which is taken to say that the charge may go. */
function insideOnly(call: CallHook, activity: Activity): CallHook {
  return async (point, hook, about) => {
    if (hook.target.kind === 'url') return { kind: 'answered', value: { kind: 'proceed' } };
    const payload = JSON.stringify({ ...JSON.parse(about.payload), dryRun: true });
    return activity.during(call(point, hook, { ...about, payload }));
  };
}

async function play(
  options: SimulationOptions,
  { clock, activity, database, sandbox }: World,
  script: { readonly untilMs: number; readonly outages: readonly Outage[] },
): Promise<Simulation> {
  const { report, stopped } = options;
  const config = placed(options.config, database.url, sandbox.url);
  const app = await openApp({
    config,
    report,
    clock: activity.callsOn(clock),
    who: 'maedal/simulate',
    claim: 'share',
    throwAway: true,
  });
  try {
    await options.fill(app);
    const counted = { ...app, db: countedDb(app.db, activity), callHook: insideOnly(app.callHook, activity) };
    const stage = new Stage({ app: counted, clock, activity, database, stopped });
    await stage.play(script);
    const attempts = await readSimulatedAttempts(app.db, {
      from: options.from.toJSDate(),
      until: options.until.toJSDate(),
    });
    const steps = await readSimulatedSteps(app.db, options.from.toJSDate());
    const subscriptions = await app.db.subscription.count();
    await stage.finish();
    return { attempts, steps, subscriptions };
  } finally {
    await sandbox.close(); // what it still holds would never end
    await app.close();
  }
}

/** The same rules in places of their own. */
function placed(config: Config, databaseUrl: string, sandboxUrl: string): Config {
  return {
    ...config,
    mode: 'test',
    database: { kind: 'url', url: new Secret(databaseUrl) },
    queue: { kind: 'postgres' },
    gateway: {
      kind: 'sandbox',
      baseUrl: sandboxUrl,
      key: new Secret(KEY),
      secret: new Secret(SECRET),
      runInside: false,
    },
    healthFile: null,
    failpoints: null,
  };
}

/** Nobody else who finds the port can charge there. */
const [KEY, SECRET] = ['imp_simulation', randomBytes(16).toString('hex')];
const KEYS: ReadonlyMap<string, string> = new Map([[KEY, SECRET]]);
