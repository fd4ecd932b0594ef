import { fileURLToPath } from 'node:url';

/** The directory of this package, seen from `src/` and from `dist/` alike: a build puts all code that is shared there itself. */
export const PACKAGE = new URL('../', import.meta.url);

/** The path of a module of ours that is loaded by itself, such as `index`: `src/index.ts`, or `dist/index.js` once built. */
export function ownModule(name: string): string {
  return fileURLToPath(new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url));
}
