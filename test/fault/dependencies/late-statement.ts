import type { SqlDriverAdapterFactory, SqlQuery, Transaction } from '@prisma/driver-adapter-utils';

/**
 * The same driver, except that inside a transaction a statement that matches leaves for the server only when that
 * transaction has been rolled back: what a busy process does by chance, always.
 */
export function afterRollback(factory: SqlDriverAdapterFactory, late: RegExp): SqlDriverAdapterFactory {
  return overriding(factory, {
    connect: async () => {
      const connection = await factory.connect();
      return overriding(connection, {
        startTransaction: async (...args: Parameters<typeof connection.startTransaction>) =>
          lateIn(await connection.startTransaction(...args), late),
      });
    },
  });
}

function lateIn(transaction: Transaction, late: RegExp): Transaction {
  let rolledBack = () => {};
  const end = new Promise<void>((resolve) => {
    rolledBack = resolve;
  });
  return overriding(transaction, {
    executeRaw: async (query: SqlQuery) => {
      if (late.test(query.sql)) await end;
      return transaction.executeRaw(query);
    },
    rollback: async () => {
      await transaction.rollback();
      rolledBack();
    },
  });
}

/** The target with some of its methods replaced. */
function overriding<Target extends object>(target: Target, methods: Partial<Target>): Target {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
