import type { Db } from '../store/db.ts';
import type { Activity } from './activity.ts';

/** The same database; each statement counts as activity until it is answered. */
export function countedDb(db: Db, activity: Activity): Db {
  return counted(db, activity);
}

function counted<Target extends object>(target: Target, activity: Activity): Target {
  return new Proxy(target, {
    get: (from, name) => {
      const value: unknown = Reflect.get(from, name);
      if (typeof value === 'function') {
        return (...args: unknown[]) => {
          const result: unknown = Reflect.apply(value, from, args);
          return isPromise(result) ? activity.during(result) : result; // Prisma's run when they are waited for
        };
      }
      return typeof value === 'object' && value !== null ? counted(value, activity) : value;
    },
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
