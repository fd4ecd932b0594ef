import { fileURLToPath } from 'node:url';
import { loyal, note } from './functions.ts';

/** What the configuration file says of hooks and endpoints: URLs at `url`, and functions that write into `directory`. */
export function hooksText(url: string, directory: string): string {
  const whose = `secret: '${SECRET}', allowAddresses: ['127.0.0.1']`;
  const at = (path: string) => `url: '${url}${path}', ${whose}, timeoutMs: 2_000`;
  const run = ({ name }: typeof loyal | typeof note) =>
    `run: async (context) => (await import('${FUNCTIONS}')).${name}(context, '${directory}')`;
  return `hooks: {
    beforeCharge: [{ name: 'coupon', ${at('/before')} }, { name: 'stock', ${at('/before')} }, { name: 'loyal', ${run(loyal)} }],
    afterCharge: [{ name: 'thanks', ${at('/after')} }, { name: 'note', ${run(note)} }],
  },
  events: { endpoints: [{ name: 'shop', url: '${url}/events', ${whose} }] },`;
}

const SECRET = 'canary-secret-of-the-hooks-0123456789';
/** As it is compiled: the processes under test load it in their threads. */
const FUNCTIONS = fileURLToPath(new URL('functions.js', import.meta.url));
