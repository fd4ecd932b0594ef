import { invalid } from '../fields.ts';
import type { FaultName, FaultPlace } from './catalogue.ts';
import { seededNumbers } from './chance.ts';
import { type Fault, readFault } from './fault.ts';

/** What a request is about, as far as a fault may ask. `other`: a call that only faults on `any` strike. */
export type Subject = {
  readonly on: FaultPlace | 'other';
  readonly merchantUid: string | null;
  readonly customerUid: string | null;
  readonly card: string | null;
};

/** A fault that struck a request. */
export type Hit = {
  readonly what: FaultName;
  /** A param of its kind, its default if it was not set. */
  param(name: string): number;
  /** The next number of the fault's own, at least 0 and below 1. */
  draw(): number;
};

type Live = {
  readonly fault: Fault;
  readonly draw: () => number;
  matched: number;
  fired: number;
  /** Of a fault that opens a window: until when, by the sandbox's clock. */
  untilMs: number;
};

/** A fault with how often it has looked at a request, and how often it struck one. */
export type FaultCount = Fault & { readonly matched: number; readonly fired: number };

/**
 * The faults that people asked for, in the order in which they came. One strikes per request: the first that matches
 * it and whose number falls below its rate. Each draws one number for every request that reaches it, so that its seed
 * and the order of those requests decide everything. Kept in memory: a restart forgets them.
 */
export class Faults {
  readonly #live: Live[] = [];
  readonly #hits = new WeakMap<object, Hit>();
  #lastId = 0;

  /** Adds all of them or, throwing Refusal (400), none. Returns what was added. */
  add(values: readonly unknown[]): readonly FaultCount[] {
    const isOne = values.length === 1;
    const faults = values.map((value, index) => {
      return readFault(value, isOne ? 'fault' : `faults[${index}]`, `fault-${this.#lastId + index + 1}`);
    });
    const ids = [...this.#live.map(({ fault }) => fault.id), ...faults.map(({ id }) => id)];
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) throw invalid(`there is a fault '${twice}' already`);
    this.#lastId += values.length;
    const added = faults.map((fault) => ({
      fault,
      draw: seededNumbers(fault.seed),
      matched: 0,
      fired: 0,
      untilMs: Number.NEGATIVE_INFINITY,
    }));
    this.#live.push(...added);
    return added.map(counted);
  }

  list(): readonly FaultCount[] {
    return this.#live.map(counted);
  }

  /** Takes back one, or all; returns what it took back. */
  remove(id: string | null): readonly FaultCount[] {
    const gone = this.#live.filter(({ fault }) => id === null || fault.id === id);
    const kept = this.#live.filter((live) => !gone.includes(live));
    this.#live.splice(0, this.#live.length, ...kept);
    return gone.map(counted);
  }

  get isEmpty(): boolean {
    return this.#live.length === 0;
  }

  /** Asks the faults about a request, once before its body is read (`unread` alone) and once after. */
  strike(request: object, subject: Subject, { isRead, nowMs }: { isRead: boolean; nowMs: number }): Hit | null {
    const window = isRead ? this.#live.find((live) => isOpen(live, subject, nowMs)) : undefined;
    const live = window ?? this.#live.find((each) => (each.fault.what !== 'unread') === isRead && fires(each, subject));
    if (live === undefined) return null;
    if (window === undefined) live.untilMs = nowMs + (live.fault.params.for_ms ?? 0);
    const hit = hitOf(live);
    this.#hits.set(request, hit);
    return hit;
  }

  /** The fault that struck a request. */
  hitOn(request: object): Hit | null {
    return this.#hits.get(request) ?? null;
  }
}

function isOpen({ fault, untilMs }: Live, { on }: Subject, nowMs: number): boolean {
  if (nowMs >= untilMs || on === 'webhook') return false;
  return fault.what === 'outage' || (fault.what === 'unauthorized_storm' && on !== 'token');
}

function fires(live: Live, subject: Subject): boolean {
  const { fault } = live;
  if (!matches(fault, subject)) return false;
  live.matched += 1;
  if (live.draw() >= fault.rate || live.fired === fault.times) return false;
  live.fired += 1;
  return true;
}

function matches({ on, what, match }: Fault, subject: Subject): boolean {
  if (on === 'any' ? subject.on === 'webhook' : on !== subject.on) return false;
  if (on === 'any' && what === 'unauthorized_storm' && subject.on === 'token') return false;
  return (
    (match.customer_uid === undefined || subject.customerUid?.startsWith(match.customer_uid) === true) &&
    (match.merchant_uid === undefined || subject.merchantUid?.startsWith(match.merchant_uid) === true) &&
    (match.card === undefined || subject.card === match.card)
  );
}

function hitOf({ fault, draw }: Live): Hit {
  return { what: fault.what, draw, param: (name) => fault.params[name] ?? 0 };
}

function counted({ fault, matched, fired }: Live): FaultCount {
  return { ...fault, matched, fired };
}
