import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/process.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';
import { Chance } from './chance.ts';
import { CampaignClock } from './clock.ts';
import { CampaignConsole } from './console.ts';
import { Fleet } from './fleet.ts';
import { hooksText } from './hooks-text.ts';
import { CampaignMerchant } from './merchant.ts';
import { asksHooks, type Plan } from './options.ts';
import { ANSWERS_COUNTED } from './oracle/hooks.ts';
import { Orders } from './orders.ts';
import { CampaignPostgres } from './postgres.ts';
import { followingPace, setPace } from './process-clock.ts';
import { CampaignRedis } from './redis.ts';
import { CampaignSandbox } from './sandbox.ts';
import { configFile } from './subscribers.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

export type Opened = { readonly world: World; close(): Promise<void> };

/** Starts everything but the processes under test, on what an earlier run left in the directory or anew. */
export async function openWorld({
  main,
  directory,
  plan,
  tally,
  fired,
  say,
}: {
  main: string;
  directory: string;
  plan: Plan;
  tally: Tally;
  fired: World['fired'];
  say: World['say'];
}): Promise<Opened> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (let one = closing.pop(); one !== undefined; one = closing.pop()) await one();
  };
  try {
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'logs'), { recursive: true });
    const chance = new Chance(plan.seed);
    const merchant = await CampaignMerchant.start(directory, chance.fork('merchant'), tally);
    closing.push(() => merchant.stop());
    const hooks = asksHooks(plan) ? hooksText(merchant.url, directory) : '';
    await writeFile(join(directory, CONFIG_FILE), configFile(plan, Date.now(), hooks));
    const postgres = await CampaignPostgres.start(directory);
    closing.push(() => postgres.stop());
    const redis = plan.backend === 'redis' ? await CampaignRedis.start(directory) : null;
    if (redis !== null) closing.push(() => redis.stop());
    const port = String(await freePort());
    const sandbox = await CampaignSandbox.start(main, directory, plan, `http://127.0.0.1:${port}/webhooks/portone`);
    closing.push(() => sandbox.stop());
    const proxies = await openProxies(tally, postgres.url, redis?.url ?? null, sandbox.url);
    closing.push(() => Promise.all(Object.values(proxies).map((proxy) => proxy?.close())));
    const file = join(directory, 'clock');
    setPace(file, { base: Date.now(), origin: Date.now(), rate: 1 });
    const env = { ...settings(directory, proxies), MAEDAL_PORT: port, NODE_OPTIONS: followingPace(file) };
    const console = new CampaignConsole(`http://127.0.0.1:${port}`, TOKEN);
    const orders = new Orders(join(directory, 'orders.jsonl'));
    const fleet = new Fleet({
      main,
      directory,
      env,
      databaseUrl: proxies.postgres.url,
      chance: chance.fork('fleet'),
      tally,
    });
    closing.push(() => fleet.close());
    const migrated = await fleet.run(['migrate'], { DATABASE_URL: postgres.url });
    if (migrated !== 0) throw new Error('`maedal migrate` failed: see logs/migrate.log');
    await postgres.query(ANSWERS_COUNTED);
    const clock = await CampaignClock.start({ postgres, sandbox, file }, RATE);
    closing.push(() => clock.stop());
    return {
      world: {
        ...{ plan, directory, postgres, redis, sandbox, merchant, clock, proxies, fleet, console, orders },
        ...{ chance, tally, fired, say },
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openProxies(tally: Tally, postgres: string, redis: string | null, gateway: string) {
  const start = (wire: 'postgres' | 'redis' | 'http', upstream: string, name: string) => {
    return FaultProxy.start({ wire, upstream, onFiring: ({ kind }) => tally.add('wire', `${name} ${kind}`) });
  };
  return {
    postgres: await start('postgres', postgres, 'postgres'),
    redis: redis === null ? null : await start('redis', redis, 'redis'),
    gateway: await start('http', gateway, 'gateway'),
  };
}

function settings(directory: string, proxies: World['proxies']): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    ...(proxies.redis === null ? {} : { REDIS_URL: proxies.redis.url }),
    PORTONE_BASE_URL: proxies.gateway.url,
    MAEDAL_CONFIG: join(directory, CONFIG_FILE),
    MAEDAL_DATA_DIR: join(directory, 'data'),
    MAEDAL_SECRET: 'canary-secret-of-the-installation-0123456789',
    MAEDAL_API_TOKEN: TOKEN,
    MAEDAL_OPERATOR_PASSWORD: 'canary-secret-password',
  };
}

/** JavaScript, so that no process has a compiler to load first. */
const CONFIG_FILE = 'maedal.config.cjs';
const TOKEN = 'canary-secret-token-0123456789';
/** How many times as fast as the wall clock the clock of money runs while faults strike. */
const RATE = 6;
