import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';

/**
 * Simulates a year of monthly subscribers with the built command and says how long that took. `--subscribers N`, a
 * thousand by default; `--times N` runs, of which the median is told.
 */
const { values } = parseArgs({
  options: { subscribers: { type: 'string', default: '1000' }, times: { type: 'string', default: '3' } },
});
const [subscribers, times] = [Number(values.subscribers), Number(values.times)];
const home = await mkdtemp(join(tmpdir(), 'maedal-bench-'));
const file = join(home, 'subscribers.csv');
await writeFile(file, csv());
const seconds: number[] = [];
let last = '';
for (let run = 0; run < times; run += 1) {
  const startedMs = systemClock.monotonicMs();
  last = await simulateYear();
  seconds.push((systemClock.monotonicMs() - startedMs) / 1_000);
}
await rm(home, { recursive: true });
const median = seconds.sort((one, other) => one - other)[Math.floor(times / 2)] ?? 0;
process.stdout.write(
  `${last}\na year of ${subscribers} monthly subscribers: ${median.toFixed(1)} s, the median of ${times}\n`,
);

async function simulateYear(): Promise<string> {
  const args = ['dist/main.js', 'simulate', '--from', '2027-01-01', '--until', '2028-01-01', '--import', file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.exitCode !== 0) throw new Error(`it ended with ${child.exitCode}`);
  return output.trimEnd();
}

/** Anchors all over the month and the day; one card in ten is declined the first time, one in fifty always. */
function csv(): string {
  const rows = Array.from({ length: subscribers }, (_, index) => {
    const day = String(1 + (index % 31)).padStart(2, '0');
    const time = `${String(9 + (index % 9)).padStart(2, '0')}:${String(index % 60).padStart(2, '0')}`;
    const card = index % 50 === 0 ? 'decline_funds' : index % 10 === 0 ? 'funds_then_approve' : '';
    return `sub-${index},payer-${index},card-${index},구독,9900,KRW,month,1,2027-01-${day}T${time},Asia/Seoul,${card}`;
  });
  const columns =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  return [columns, ...rows, ''].join('\n');
}
