import type { Db } from '../../src/store/db.ts';

/** From now on the ids of new rows follow from a seed, so that what is sorted by them is the same in every run. */
export async function seedIds(db: Db, seed: number): Promise<void> {
  await db.$executeRaw`CREATE SEQUENCE test_ids`;
  await db.$executeRaw`CREATE TABLE test_seed (seed) AS SELECT ${seed}::integer`;
  await db.$executeRaw`
    CREATE FUNCTION test_id() RETURNS uuid LANGUAGE sql VOLATILE AS
      'SELECT md5((SELECT seed FROM test_seed) || '' '' || nextval(''test_ids''))::uuid'`;
  await db.$executeRaw`ALTER TABLE customer ALTER COLUMN id SET DEFAULT test_id()`;
  await db.$executeRaw`ALTER TABLE billing_key ALTER COLUMN id SET DEFAULT test_id()`;
  await db.$executeRaw`ALTER TABLE subscription ALTER COLUMN id SET DEFAULT test_id()`;
  await db.$executeRaw`ALTER TABLE invoice ALTER COLUMN id SET DEFAULT test_id()`;
  await db.$executeRaw`ALTER TABLE attempt ALTER COLUMN id SET DEFAULT test_id()`;
}
