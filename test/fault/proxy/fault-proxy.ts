import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, pause, systemClock } from '../../../src/clock.ts';
import { Armed } from './armed.ts';
import { type ArmedRequestFault, Connection } from './connection.ts';
import type { ArmedFault, Direction, FaultKind, Firing } from './fault.ts';
import { HttpWire } from './http-wire.ts';
import { PostgresWire } from './postgres-wire.ts';
import { RedisWire } from './redis-wire.ts';

const WIRES = { postgres: PostgresWire, redis: RedisWire, http: HttpWire } as const;
const DEFAULT_PORTS = { postgres: 5432, redis: 6379, http: 80 } as const;

export type FaultProxyOptions = {
  /** Where requests go: the URL that a client would use without the proxy. */
  readonly upstream: string;
  readonly wire: keyof typeof WIRES;
  /** Times black holes and delays; the host's own by default. */
  readonly clock?: Clock;
  /** Hears of every firing. */
  readonly onFiring?: (firing: Firing) => void;
};

/** A TCP proxy on 127.0.0.1 that understands what it carries and does harm on command. Without a fault it is air. */
export class FaultProxy {
  /** The upstream's URL with this proxy's address in it. */
  readonly url: string;
  readonly port: number;
  readonly #options: FaultProxyOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #armed = new Set<Armed>();
  readonly #holes = new Set<{ direction: Direction; until: Promise<void> }>();
  readonly #counts = new Map<FaultKind, number>();
  #accepted = 0;

  private constructor(options: FaultProxyOptions, server: Server, port: number) {
    const url = new URL(options.upstream);
    url.hostname = '127.0.0.1';
    url.port = String(port);
    this.url = options.wire === 'http' ? url.toString().replace(/\/$/, '') : url.toString();
    this.port = port;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  /** Listens on any free port. The upstream is connected to for each client, and need not be there yet. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    return new FaultProxy(options, server, typeof address === 'object' && address !== null ? address.port : 0);
  }

  /** From now on, until it has struck its `times` or is disarmed. Of several that would, the one armed first strikes. */
  arm(fault: ArmedFault): Armed {
    for (const past of this.#armed) if (past.over) this.#armed.delete(past);
    const armed = new Armed(fault, this.#clock, (firing) => this.#fired(firing));
    this.#armed.add(armed);
    if (fault.kind === 'refuse') this.#refuse(armed, fault.ms);
    return armed;
  }

  /** Disarms everything; what is cut stays cut. */
  async heal(): Promise<void> {
    for (const armed of this.#armed) await armed.disarm();
    this.#armed.clear();
  }

  /** How often each kind of fault did its deed since the start. */
  get counts(): Readonly<Partial<Record<FaultKind, number>>> {
    return Object.fromEntries(this.#counts);
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resets every connection, on both sides. */
  cutAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Heals, resets what is open and listens no more. */
  async close(): Promise<void> {
    await this.heal();
    this.cutAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const closers = [...this.#armed].filter(({ fault }) => fault.kind === 'accept-then-close');
    const struck = closers.find((armed) => armed.takes(''));
    this.#accepted += 1;
    if (struck !== undefined) {
      client.on('error', () => undefined);
      client.destroy();
      struck.fire('', this.#accepted);
      return;
    }
    const { hostname, port } = new URL(this.#options.upstream);
    const server = connect({
      host: hostname,
      port: Number(port || DEFAULT_PORTS[this.#options.wire]),
      allowHalfOpen: true,
    });
    const connection = new Connection(client, server, {
      number: this.#accepted,
      clock: this.#clock,
      wire: new WIRES[this.#options.wire](),
      draw: (subject) => this.#draw(subject),
      holdAll: (direction, until) => this.#holdAll(direction, until),
      closed: () => void this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    for (const { direction, until } of this.#holes) connection.hold(direction, until);
  }

  #draw(subject: string): ArmedRequestFault | null {
    for (const armed of this.#armed) if (strikesRequests(armed) && armed.takes(subject)) return armed;
    return null;
  }

  #holdAll(direction: Direction, until: Promise<void>): void {
    const hole = { direction, until };
    this.#holes.add(hole);
    void until.then(() => this.#holes.delete(hole));
    for (const connection of this.#connections) connection.hold(direction, until);
  }

  #refuse(armed: Armed, ms: number | undefined): void {
    this.#server.close(); // the port is closed when this returns; only the event waits for the connections
    armed.fire('', 0);
    armed.whenDisarmed(() => this.#listenAgain());
    if (ms !== undefined) void armed.lasting(ms).then(() => armed.disarm());
  }

  /** Somebody may have been given the port in between: a few tries, then it throws. */
  async #listenAgain(): Promise<void> {
    for (let tries = 1; !this.#server.listening; tries += 1) {
      try {
        this.#server.listen(this.port, '127.0.0.1');
        await once(this.#server, 'listening');
      } catch (error) {
        if (tries === 50) throw error;
        await pause(systemClock, 100);
      }
    }
  }

  #fired(firing: Firing): void {
    this.#counts.set(firing.kind, (this.#counts.get(firing.kind) ?? 0) + 1);
    this.#options.onFiring?.(firing);
  }
}

function strikesRequests(armed: Armed): armed is ArmedRequestFault {
  return armed.fault.kind !== 'refuse' && armed.fault.kind !== 'accept-then-close';
}
