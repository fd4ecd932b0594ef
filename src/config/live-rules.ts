import type { Inspection } from './environment.ts';
import type { Role } from './roles.ts';

/** What `start` was told: the roles named with --roles, or null for all of them. */
export type Start = { readonly roles: readonly Role[] | null };

/** What `live` asks of the environment beyond the gateway: nothing embedded, nothing generated, nothing short. */
export function liveProblems({ environment, isSet }: Inspection, start: Start | undefined): string[] {
  if (environment.mode !== 'live') return [];
  const problems: string[] = [];
  const need = (name: string, reason: string) => {
    if (!isSet(name)) problems.push(`${name} is missing; ${reason}`);
  };
  if (environment.failpoints !== null) problems.push('MAEDAL_FAILPOINTS is set; live has no failpoints, remove it');
  need('DATABASE_URL', 'live refuses the embedded database');
  need('MAEDAL_SECRET', 'live refuses a generated one; set at least 32 random characters and back them up');
  if (start !== undefined && (start.roles === null || start.roles.includes('console'))) {
    need('MAEDAL_API_TOKEN', 'live refuses a generated one');
    need('MAEDAL_OPERATOR_PASSWORD', 'live refuses a generated one');
  }
  const { apiToken, operatorPassword } = environment;
  if (apiToken !== null && apiToken.reveal().length < 16)
    problems.push('MAEDAL_API_TOKEN has fewer than 16 characters');
  if (operatorPassword !== null && operatorPassword.reveal().length < 12) {
    problems.push('MAEDAL_OPERATOR_PASSWORD has fewer than 12 characters');
  }
  return problems;
}
