import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import { Pool } from 'pg';

/** Prisma's own engine on a database: what `prisma migrate deploy` and `prisma migrate diff` run. */
export type PrismaEngine = {
  /** Applies the repository's migrations and resolves to the names applied now. */
  applyMigrations(): Promise<string[]>;
  /** The SQL by which the engine itself would make the tables of the repository's Prisma schema. */
  schemaSql(): Promise<string>;
  close(): Promise<void>;
};

/** The native engine needs a download; this is the same one as WebAssembly, from the registry. */
export async function prismaEngine(url: string): Promise<PrismaEngine> {
  const schema = filesOf('schema', '.prisma');
  const pool = new Pool({ connectionString: url });
  const adapter = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
  const datamodels = schema.map(({ path, content }): [string, string] => [path, content]);
  const engine = await running().SchemaEngine.new({ datamodels }, () => undefined, adapter);
  const filters = { externalTables: [], externalEnums: [] };
  return {
    applyMigrations: async () => {
      const { appliedMigrationNames } = await engine.applyMigrations({ filters, migrationsList: migrationsList() });
      return appliedMigrationNames;
    },
    schemaSql: async () => {
      const { stdout } = await engine.diff({
        from: { tag: 'empty' },
        to: { tag: 'schemaDatamodel', files: schema },
        script: true,
        exitCode: null,
        filters,
      });
      return stdout ?? '';
    },
    close: () => pool.end(),
  };
}

/** The adapter (7.10.1) cuts a script at every `;`, also within a function; the native engine sends it whole. */
class WholeScripts extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => void (await adapter.underlyingDriver().query(script));
    return adapter;
  }
}

/** Its memory belongs to the module: starting it twice mixes up what both hold. */
function running(): typeof engineModule {
  if (isRunning) return engineModule;
  const resolve = createRequire(import.meta.url).resolve;
  const file = resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace('_bg.js', '_bg.wasm');
  const imports = { './schema_engine_bg.js': Object.fromEntries(Object.entries(engineModule).map(unreferenced)) };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), imports);
  engineModule.__wbg_set_wasm(instance.exports);
  const { __wbindgen_start: start } = instance.exports;
  if (typeof start !== 'function') throw new Error('the schema engine has another face than it had');
  start();
  isRunning = true;
  return engineModule;
}

let isRunning = false;

/** The limit on its wait for the migration lock outlasts the wait, and would keep the process for 10 s more. */
function unreferenced([name, imported]: [string, unknown]): [string, unknown] {
  if (!name.startsWith('__wbg_setTimeout_') || typeof imported !== 'function') return [name, imported];
  const setTimer = (...args: unknown[]) => {
    const timer: NodeJS.Timeout = Reflect.apply(imported, undefined, args);
    return timer.unref();
  };
  return [name, setTimer];
}

function migrationsList() {
  const content = readFileSync(new URL('migrations/migration_lock.toml', PRISMA), 'utf8');
  const names = readdirSync(new URL('migrations/', PRISMA), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return {
    baseDir: 'prisma/migrations',
    shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content },
    migrationDirectories: names.map(({ name }) => {
      const value = readFileSync(new URL(`migrations/${name}/migration.sql`, PRISMA), 'utf8');
      return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
    }),
  };
}

function filesOf(folder: string, ending: string) {
  const names = readdirSync(new URL(`${folder}/`, PRISMA)).filter((name) => name.endsWith(ending));
  return names.map((name) => ({ path: name, content: readFileSync(new URL(`${folder}/${name}`, PRISMA), 'utf8') }));
}

const PRISMA = new URL('../../prisma/', import.meta.url);

/** Node has it; its types come with those of browsers, which nothing here may use. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};
