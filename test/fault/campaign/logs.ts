import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Follows every log file of a directory line by line. */
export class Logs {
  readonly #directory: string;
  readonly #positions = new Map<string, { at: number; rest: string }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The lines that were completed since the last call. */
  async *read(): AsyncGenerator<string> {
    for (const file of await readdir(this.#directory)) {
      const position = this.#positions.get(file) ?? { at: 0, rest: '' };
      this.#positions.set(file, position);
      const lines = `${position.rest}${await this.#tail(file, position)}`.split('\n');
      position.rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  async #tail(file: string, position: { at: number }): Promise<string> {
    const handle = await open(join(this.#directory, file), 'r');
    try {
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.max(0, size - position.at));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, position.at);
      position.at += bytesRead;
      return bytes.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}
