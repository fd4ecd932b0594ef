import type { Gateway } from '../../src/gateway/gateway.ts';
import { type ChargeStore, chargeStore } from '../../src/store/charge-store.ts';
import type { Db } from '../../src/store/db.ts';
import type { WorkerDeps } from '../../src/worker/deps.ts';

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
  const names: string[] = [];
  const effect = async <Result>(name: string, work: () => PromiseLike<Result>): Promise<Result> => {
    names.push(name);
    if (names.length - 1 > at) throw new Crash('the process is dead');
    if (names.length - 1 < at) return work();
    if (when === 'after') await work();
    throw new Crash(`${when} ${name}`);
  };
  return {
    deps: { ...deps, store: dyingStore(db, effect), gateway: dyingGateway(deps.gateway, effect) },
    effects: () => names,
  };
}

type Effect = <Result>(name: string, work: () => PromiseLike<Result>) => Promise<Result>;

/** The real store, over a connection that dies. */
function dyingStore(db: Db, effect: Effect): ChargeStore {
  return chargeStore(dyingDb(db, effect));
}

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
    charge: (request, timeoutMs) => effect('charge', () => gateway.charge(request, timeoutMs)),
    cancel: (request, timeoutMs) => effect('cancel', () => gateway.cancel(request, timeoutMs)),
    payment: (impUid) => effect('payment', () => gateway.payment(impUid)),
    lookUp: (merchantUid) => effect('lookUp', () => gateway.lookUp(merchantUid)),
    billingKey: (customerUid) => effect('billingKey', () => gateway.billingKey(customerUid)),
    close: () => gateway.close(),
  };
}

function statementName(sql: unknown): string {
  const text = Array.isArray(sql) ? sql.join('?') : String(sql);
  return /(?:INSERT INTO|UPDATE) (\w+)[^;]*/.exec(text)?.[1] ?? 'select';
}
