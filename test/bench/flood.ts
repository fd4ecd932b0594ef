import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { forge } from './forged-webhooks.ts';
import { Shop } from './shop.ts';

/**
 * Says what a flood of forged webhooks costs: batches of charges by the built program, every second one with a flood in
 * its midst. Half of it names payments of ours over and over, half names none. `--charges N` a batch, five hundred by
 * default; `--webhooks N` a flood, ten thousand; `--times N` batches of each kind, three, of which the median is told. The
 * sender runs on the same processors, as no stranger's would: what it took is counted, and told apart.
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
const alone: Taken[] = [];
const beside: Taken[] = [];
const shop = await Shop.open();
try {
  const { merchantUids } = await shop.charge(NAMED);
  for (let time = 1; time <= times; time += 1) {
    alone.push({ seconds: charges / (await shop.charge(charges)).perSecond, senderSeconds: 0 });
    beside.push(await flooded(merchantUids));
  }
} finally {
  await shop.close();
}
const quiet = median(alone.map(({ seconds }) => seconds));
const loud = median(beside.map(({ seconds }) => seconds));
const unsent = median(beside.map(({ seconds, senderSeconds }) => seconds - senderSeconds / availableParallelism()));
say(
  `${charges} charges: ${(charges / quiet).toFixed(1)} a second, with the flood ${(charges / loud).toFixed(1)} (medians of ` +
    `${times}): it costs ${cost(loud)}, or ${cost(unsent)} without what sending took`,
);

/** How long a batch took, and what the sender of its flood took of the processors. */
type Taken = { readonly seconds: number; readonly senderSeconds: number };

/** A batch with a flood in its midst. Throws where that had more looked up than it may. */
async function flooded(named: readonly string[]): Promise<Taken> {
  const heard = shop.logged.length;
  const beganMs = systemClock.monotonicMs();
  const { perSecond, beside: burst } = await shop.charge(charges, () =>
    forge({ url: `${shop.consoleUrl}/webhooks/portone`, count: webhooks, merchantUids: named }),
  );
  await shop.hintsFollowed();
  const spans = 1 + Math.floor((systemClock.monotonicMs() - beganMs) / ONE_LOOK_UP_MS);
  const lookUps = shop.logged.slice(heard).flatMap((line) => LOOKED_UP.exec(line)?.[1] ?? []);
  const bound = named.length * spans;
  const told = burst.answers.map(([status, count]) => `${count} answered ${status}`).join(', ');
  say(
    `${webhooks} webhooks in ${burst.seconds.toFixed(1)} s, sent with ${burst.cpuSeconds.toFixed(1)} s of processor time: ` +
      `${told}; ${lookUps.length} look-ups, at most ${bound}`,
  );
  if (lookUps.length > bound || lookUps.some((uid) => !named.includes(uid)))
    throw new Error('that is too many look-ups');
  return { seconds: charges / perSecond, senderSeconds: burst.cpuSeconds };
}

function cost(seconds: number): string {
  return `${((1 - quiet / seconds) * 100).toFixed(1)} %`;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
