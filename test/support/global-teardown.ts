import { started } from './global-setup.ts';

/** Stops what the set-up started, and nothing else. */
// biome-ignore lint/style/noDefaultExport: jest calls the default export.
export default async function tearDown(): Promise<void> {
  for (const server of started.splice(0).reverse()) await server.stop();
}
