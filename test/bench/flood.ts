import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { type Burst, forge } from './forged-webhooks.ts';
import { Shop } from './shop.ts';

/**
 * Says what a flood of forged webhooks costs: batches of charges by the built program, every second one with a flood in
 * its midst. Half of it names payments of ours over and over, half names none. `--charges N` a batch, five hundred by
 * default; `--webhooks N` a flood, ten thousand; `--times N` batches of each kind, three, of which the median is told.
 */
const { values } = parseArgs({
  options: {
    charges: { type: 'string', default: '500' },
    webhooks: { type: 'string', default: '10000' },
    times: { type: 'string', default: '3' },
  },
});
const [charges, webhooks, times] = [Number(values.charges), Number(values.webhooks), Number(values.times)];
/** Payments that the floods name. */
const NAMED = 250;
/** Between two look-ups of one payment. */
const ONE_LOOK_UP_MS = 10_000;
const LOOKED_UP = /"merchantUid":"(\w+)".*"hint\.followed"/;
const say = (text: string) => void process.stdout.write(`${text}\n`);
const rates: Record<'alone' | 'flooded', number[]> = { alone: [], flooded: [] };
const shop = await Shop.open();
try {
  const { merchantUids } = await shop.charge(NAMED);
  for (let time = 1; time <= times; time += 1) {
    rates.alone.push((await shop.charge(charges)).perSecond);
    rates.flooded.push(await flooded(merchantUids));
  }
} finally {
  await shop.close();
}
const [alone, beside] = [median(rates.alone), median(rates.flooded)];
say(
  `${charges} charges: ${alone.toFixed(1)} a second, with the flood ${beside.toFixed(1)} (medians of ${times}): ` +
    `it costs ${((1 - beside / alone) * 100).toFixed(1)} %`,
);

/** Charges a second of a batch with a flood in its midst. Throws where that had more looked up than it may. */
async function flooded(named: readonly string[]): Promise<number> {
  const heard = shop.logged.length;
  let beganMs = 0;
  const bursts: Burst[] = [];
  const { perSecond } = await shop.charge(charges, async () => {
    beganMs = systemClock.monotonicMs();
    bursts.push(await forge(`${shop.consoleUrl}/webhooks/portone`, webhooks, named));
  });
  await shop.hintsFollowed();
  const spans = 1 + Math.floor((systemClock.monotonicMs() - beganMs) / ONE_LOOK_UP_MS);
  const lookUps = shop.logged.slice(heard).flatMap((line) => LOOKED_UP.exec(line)?.[1] ?? []);
  const bound = named.length * spans;
  for (const { seconds, answers } of bursts) {
    const told = [...answers].map(([status, count]) => `${count} answered ${status}`).join(', ');
    say(`${webhooks} webhooks in ${seconds.toFixed(1)} s: ${told}; ${lookUps.length} look-ups, at most ${bound}`);
  }
  if (lookUps.length > bound || lookUps.some((uid) => !named.includes(uid)))
    throw new Error('that is too many look-ups');
  return perSecond;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
