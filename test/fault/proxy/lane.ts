import type { Socket } from 'node:net';
import { type Clock, pause } from '../../../src/clock.ts';

/** How bytes are delivered: how much later, and in slices of how many. */
export type Pace = { readonly delayMs?: number; readonly sliceBytes?: number };

type Step = () => void | Promise<void>;

/** One way of one connection: what is put into it comes out in order, late or never. */
export class Lane {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #steps: Step[] = [];
  #busy = false;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(bytes: Buffer, { delayMs = 0, sliceBytes = Infinity }: Pace = {}): void {
    if (bytes.length === 0) return;
    if (delayMs > 0) this.#put(() => pause(this.#clock, delayMs, this.#over.signal));
    if (sliceBytes >= bytes.length) this.#put(() => void this.#socket.write(bytes));
    else this.#put(() => this.#writeSlices(bytes, sliceBytes));
  }

  /** Nothing behind this comes out before `until` resolves. */
  hold(until: Promise<void>): void {
    this.#put(() => until);
  }

  /** The end of the stream, behind everything that was put in. */
  finish(): void {
    this.#put(() => void this.#socket.end());
  }

  /** A reset, behind everything that was put in. */
  fail(): void {
    this.#put(() => void this.#socket.resetAndDestroy());
  }

  /** The end at once: a reset, and what still waits is dropped. */
  reset(): void {
    this.#over.abort();
    this.#steps.length = 0;
    this.#socket.resetAndDestroy();
  }

  #put(step: Step): void {
    if (this.#over.signal.aborted) return;
    this.#steps.push(step);
    if (!this.#busy) this.#go();
  }

  #go(): void {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      const lasting = step();
      if (lasting instanceof Promise) {
        this.#busy = true;
        void lasting.then(() => {
          this.#busy = false;
          this.#go();
        });
        return;
      }
    }
  }

  async #writeSlices(bytes: Buffer, size: number): Promise<void> {
    for (let start = 0; start < bytes.length && !this.#over.signal.aborted; start += size) {
      const slice = bytes.subarray(start, start + size);
      await new Promise<void>((written) => this.#socket.write(slice, () => written()));
      await new Promise<void>((turn) => setImmediate(turn)); // else the kernel would put slices together again
    }
  }
}
