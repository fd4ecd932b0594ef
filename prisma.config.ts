import { defineConfig } from 'prisma/config';

// `DATABASE_URL` is needed by `prisma migrate deploy` alone; generating the client asks no database.
export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL === undefined ? {} : { datasource: { url: process.env.DATABASE_URL } }),
});
