import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { addSeed, addTally, emptyTally, type Tally } from './tally.ts';

/** So many seeds from this one on. */
type Slice = { readonly from: number; readonly seeds: number };

/** What so many seeds come to, a slice of them on each processor. Compiled only: each thread loads this file. */
export async function tallySideBySide({ from, seeds }: Slice): Promise<Tally> {
  const threads = Math.min(availableParallelism(), Math.max(1, Math.floor(seeds / LEAST)));
  const starts = Array.from({ length: threads + 1 }, (_, index) => from + Math.floor((seeds * index) / threads));
  const slices = starts.slice(1).map((end, index) => ({ from: starts[index] ?? from, end }));
  const tallies = await Promise.all(
    slices.map((slice) => inThread({ from: slice.from, seeds: slice.end - slice.from })),
  );
  const all = emptyTally();
  for (const tally of tallies) addTally(all, tally);
  return all;
}

function inThread(slice: Slice): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: slice });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`a thread of the model ended with ${code} before it was done`)));
  });
}

async function tallyOf({ from, seeds }: Slice): Promise<Tally> {
  const tally = emptyTally();
  for (let seed = from; seed < from + seeds; seed += 1) await addSeed(tally, seed);
  return tally;
}

/** A thread costs as much as some hundred worlds. */
const LEAST = 500;

if (!isMainThread) parentPort?.postMessage(await tallyOf(workerData));
