import type { Gateway } from '../../src/gateway/gateway.ts';
import { chargeStore } from '../../src/store/charge-store.ts';
import type { Db } from '../../src/store/db.ts';
import { refundStore } from '../../src/store/refund-store.ts';
import type { RefundDeps, WorkerDeps } from '../../src/worker/deps.ts';

/** Stands for kill -9: everything after it does not happen. */
export class Crash extends Error {}

/**
 * The worker's deps as a process that dies at its `at`-th effect, counted from 0: `before` it happens, or `after` it
 * happened and before anyone heard of it. Effects are SQL statements and gateway calls.
 */
export function crashing(
  { deps, db }: { deps: WorkerDeps; db: Db },
  at: number,
  when: 'before' | 'after',
): { deps: WorkerDeps; effects: () => string[] } {
  const { effect, effects } = dyingAt(at, when);
  const store = chargeStore(dyingDb(db, effect));
  return { deps: { ...deps, store, gateway: dyingGateway(deps.gateway, effect) }, effects };
}

/** The same for a worker that refunds. */
export function crashingRefund(
  { deps, db }: { deps: RefundDeps; db: Db },
  at: number,
  when: 'before' | 'after',
): { deps: RefundDeps; effects: () => string[] } {
  const { effect, effects } = dyingAt(at, when);
  const store = refundStore(dyingDb(db, effect));
  return { deps: { ...deps, store, gateway: dyingGateway(deps.gateway, effect) }, effects };
}

function dyingAt(at: number, when: 'before' | 'after'): { effect: Effect; effects: () => string[] } {
  const names: string[] = [];
  const effect: Effect = async (name, work) => {
    names.push(name);
    if (names.length - 1 > at) throw new Crash('the process is dead');
    if (names.length - 1 < at) return work();
    if (when === 'after') await work();
    throw new Crash(`${when} ${name}`);
  };
  return { effect, effects: () => names };
}

type Effect = <Result>(name: string, work: () => PromiseLike<Result>) => Promise<Result>;

/** The database over a connection that dies. */
function dyingDb(db: Db, effect: Effect): Db {
  return new Proxy(db, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (property !== '$queryRaw' && property !== '$executeRaw') return value;
      return (...args: Parameters<Db['$queryRaw']>) =>
        effect(statementName(args[0]), async () => Reflect.apply(Object(value), target, args));
    },
  });
}

function dyingGateway(gateway: Gateway, effect: Effect): Gateway {
  return {
    ready: (options) => effect('ready', () => gateway.ready(options)),
    charge: (request, ...limits) => effect('charge', () => gateway.charge(request, ...limits)),
    cancel: (request, ...limits) => effect('cancel', () => gateway.cancel(request, ...limits)),
    payment: (impUid) => effect('payment', () => gateway.payment(impUid)),
    lookUp: (merchantUid) => effect('lookUp', () => gateway.lookUp(merchantUid)),
    billingKey: (customerUid) => effect('billingKey', () => gateway.billingKey(customerUid)),
    payments: (window, take) => effect('payments', () => gateway.payments(window, take)),
    schedules: (window, take) => effect('schedules', () => gateway.schedules(window, take)),
    close: () => gateway.close(),
  };
}

function statementName(sql: unknown): string {
  const text = Array.isArray(sql) ? sql.join('?') : String(sql);
  return /(?:INSERT INTO|UPDATE) (\w+)[^;]*/.exec(text)?.[1] ?? 'select';
}
