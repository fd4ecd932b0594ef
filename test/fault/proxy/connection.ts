import type { Socket } from 'node:net';
import type { Clock } from '../../../src/clock.ts';
import type { Armed } from './armed.ts';
import type { ArmedFault, Direction, RequestFault } from './fault.ts';
import { Lane, type Pace } from './lane.ts';
import type { ReplyPiece, Request, Wire } from './wire.ts';

/** A fault that strikes a request. */
export type ArmedRequestFault = Armed<RequestFault & ArmedFault>;

/** What a connection asks of its proxy. */
export type Surroundings = {
  readonly number: number;
  readonly clock: Clock;
  readonly wire: Wire;
  /** The fault that takes this request, if one does. */
  draw(subject: string): ArmedRequestFault | null;
  /** Nothing comes through that way on any connection until then. */
  holdAll(direction: Direction, until: Promise<void>): void;
  closed(): void;
};

/** A request that was forwarded and whose reply is not complete. */
type Open = {
  readonly subject: string;
  readonly struck: ArmedRequestFault | null;
  readonly held: Buffer[];
  /** Of the reply's next piece: only the first comes late, the others behind it. */
  pace: Pace;
};

/** A client's connection and the one to the server behind it. */
export class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #lanes: Readonly<Record<Direction, Lane>>;
  readonly #around: Surroundings;
  readonly #open: Open[] = [];
  #cut = false;

  constructor(client: Socket, server: Socket, around: Surroundings) {
    this.#client = client;
    this.#server = server;
    this.#around = around;
    this.#lanes = { 'to-server': new Lane(server, around.clock), 'to-client': new Lane(client, around.clock) };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined); // `close` follows
    }
    client.on('data', (chunk: Buffer) => this.#asked(chunk));
    client.on('end', () => this.#lanes['to-server'].finish());
    client.on('close', () => this.#clientGone());
    server.on('data', (chunk: Buffer) => this.#answered(around.wire.fromServer(chunk)));
    server.on('end', () => this.#serverEnded());
    server.on('close', (failed: boolean) => this.#serverGone(failed));
  }

  hold(direction: Direction, until: Promise<void>): void {
    this.#lanes[direction].hold(until);
  }

  /** Ends both sides at once. */
  reset(): void {
    this.#cut = true;
    this.#lanes['to-client'].reset();
    this.#lanes['to-server'].reset();
  }

  #asked(chunk: Buffer): void {
    for (const request of this.#cut ? [] : this.#around.wire.fromClient(chunk)) {
      if (this.#cut) return;
      if (request.subject === null) this.#lanes['to-server'].send(request.bytes);
      else this.#forward(request, request.subject);
    }
  }

  #forward({ bytes }: Request, subject: string): void {
    const struck = this.#around.draw(subject);
    const fault: RequestFault | null = struck?.fault ?? null;
    switch (fault?.kind) {
      case 'cut-before-request':
        this.reset();
        break;
      case 'cut-in-request':
        this.#cutOff(bytes.subarray(0, Math.ceil(bytes.length / 2)));
        break;
      case 'cut-after-request':
        this.#cutOff(bytes);
        break;
      case 'black-hole': {
        const over = struck?.lasting(fault.ms) ?? Promise.resolve();
        if (fault.scope === 'every') this.#around.holdAll(fault.direction, over);
        else this.hold(fault.direction, over);
        break;
      }
    }
    const late = fault?.kind === 'swallow-reply' || fault?.kind === 'cut-in-reply';
    if (!late) struck?.fire(subject, this.#around.number);
    if (this.#cut) return;
    const pace = fault?.kind === 'slow' ? fault : {};
    this.#open.push({ subject, struck: late ? struck : null, held: [], pace });
    this.#lanes['to-server'].send(bytes, pace);
  }

  #answered(pieces: readonly ReplyPiece[]): void {
    this.#client.cork();
    for (const { bytes, part } of this.#cut ? [] : pieces) {
      const open = this.#open[0];
      if (open?.struck != null && part !== 'prompt') open.held.push(bytes);
      else this.#lanes['to-client'].send(bytes, open?.pace);
      if (open !== undefined) open.pace = { ...open.pace, delayMs: 0 };
      if (part === 'last') this.#complete();
      if (this.#cut) break;
    }
    this.#client.uncork();
  }

  #complete(): void {
    const open = this.#open.shift();
    if (open?.struck == null) return;
    const reply = Buffer.concat(open.held);
    this.#cut = true;
    this.#lanes['to-server'].finish();
    if (open.struck.fault.kind === 'swallow-reply') this.#lanes['to-client'].reset();
    else {
      this.#lanes['to-client'].send(reply.subarray(0, Math.ceil(reply.length / 2)));
      this.#lanes['to-client'].finish();
    }
    open.struck.fire(open.subject, this.#around.number);
  }

  /** The server gets these last bytes and then the end of the stream, not a reset: a reset could overtake them. */
  #cutOff(last: Buffer): void {
    this.#cut = true;
    this.#lanes['to-server'].send(last);
    this.#lanes['to-server'].finish();
    this.#lanes['to-client'].reset();
  }

  #clientGone(): void {
    this.#lanes['to-server'].finish(); // behind what a black hole still holds
    this.#closedIfBothAre();
  }

  #serverEnded(): void {
    this.#answered(this.#around.wire.serverEnded());
    this.#lanes['to-client'].finish();
  }

  #serverGone(failed: boolean): void {
    if (failed) this.#lanes['to-client'].fail();
    else this.#lanes['to-client'].finish();
    this.#closedIfBothAre();
  }

  #closedIfBothAre(): void {
    if (this.#client.closed && this.#server.closed) this.#around.closed();
  }
}
