import { InputError } from '../billing/errors.ts';
import { didYouMean } from '../nearest-name.ts';

/** What a process may do; any number of each may run beside each other. */
export const ROLES = ['scheduler', 'worker', 'console'] as const;
export type Role = (typeof ROLES)[number];

/** Reads `--roles`: names with commas between. Throws InputError. */
export function parseRoles(text: string): readonly Role[] {
  const roles = text.split(',').map((word) => {
    const name = word.trim();
    const role = ROLES.find((known) => known === name);
    if (role !== undefined) return role;
    throw new InputError(`'${name}' is not a role${didYouMean(name, ROLES)}`, `use ${ROLES.join(', ')}`);
  });
  return [...new Set(roles)];
}
