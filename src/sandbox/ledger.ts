import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../billing/errors.ts';
import type { Entry } from './entry.ts';
import { LedgerReader } from './ledger-file.ts';
import { lockDirectory } from './lock.ts';

/** The sandbox's memory of what happened: entries are added at the end and never changed. */
export interface Ledger {
  /** Adds an entry. It is durable once `synced()` resolves. */
  append(entry: Entry): void;
  /** Resolves when everything appended so far survives a power cut; rejects for good once a write has failed. */
  synced(): Promise<void>;
  close(): Promise<void>;
}

/** A ledger that forgets. */
export const memoryLedger: Ledger = {
  append: () => undefined,
  synced: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/**
 * Opens `ledger.jsonl` in the directory, which it locks, and hands every entry in it to `replay`. A last line that a
 * crash cut short was never answered for and is removed. Throws InputError when another process holds the directory or
 * a line is no entry.
 */
export async function openLedger(directory: string, replay: (entry: Entry) => void): Promise<Ledger> {
  await mkdir(directory, { recursive: true });
  const unlock = await lockDirectory(directory);
  try {
    const path = join(directory, 'ledger.jsonl');
    const file = await open(path, 'a+', 0o600); // it holds payers' names
    try {
      await file.truncate(await endOfLastLine(file));
      await file.sync();
      await syncDirectory(directory);
      await replayFile(path, replay);
      return new FileLedger(file, unlock);
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Charges that arrive while a batch is being synced share the next one: one fsync for all of them. */
class FileLedger implements Ledger {
  readonly #file: FileHandle;
  readonly #unlock: () => Promise<void>;
  #next = new Batch();
  #writing: Batch | null = null;
  #isStarting = false;

  constructor(file: FileHandle, unlock: () => Promise<void>) {
    this.#file = file;
    this.#unlock = unlock;
  }

  append(entry: Entry): void {
    this.#next.lines.push(JSON.stringify(entry));
    if (this.#writing === null && !this.#isStarting) void this.#start();
  }

  synced(): Promise<void> {
    if (this.#next.lines.length > 0) return this.#next.done;
    return this.#writing?.done ?? Promise.resolve();
  }

  async close(): Promise<void> {
    try {
      await this.synced();
    } finally {
      await this.#file.close();
      await this.#unlock();
    }
  }

  /** Waits for what this turn of the event loop still adds: a request, its charge and its answer are one batch. */
  async #start(): Promise<void> {
    this.#isStarting = true;
    await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.#isStarting = false;
    await this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#next.lines.length > 0) {
      const batch = this.#next;
      this.#writing = batch;
      this.#next = new Batch();
      try {
        await this.#file.appendFile(`${batch.lines.join('\n')}\n`);
        await this.#file.datasync();
      } catch (error) {
        // Memory is now ahead of the disk: `#writing` stays, so that nothing is ever answered again.
        batch.fail(error);
        this.#next = batch;
        return;
      }
      batch.succeed();
    }
    this.#writing = null;
  }
}

class Batch {
  readonly lines: string[] = [];
  succeed: () => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;
  readonly done: Promise<void> = new Promise((resolve, reject) => {
    this.succeed = resolve;
    this.fail = reject;
  });

  constructor() {
    this.done.catch(() => undefined); // whoever waits hears of it; a batch for which nobody waits must not end the process
  }
}

/** Offset just behind the last newline. */
async function endOfLastLine(file: FileHandle): Promise<number> {
  const chunk = Buffer.alloc(65_536);
  for (let end = (await file.stat()).size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf('\n');
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

async function replayFile(path: string, replay: (entry: Entry) => void): Promise<void> {
  const reader = new LedgerReader(path);
  for await (const chunk of createReadStream(path)) {
    for (const entry of reader.read(chunk)) {
      try {
        replay(entry);
      } catch (cause) {
        const problem = `a ${entry.kind} entry of ${path} does not follow from those before it`;
        throw Object.assign(new InputError(problem, 'restore the file from a copy'), { cause });
      }
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
