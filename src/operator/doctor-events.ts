import type { Standing } from '../store/inspection.ts';
import type { Finding } from './finding.ts';
import { isoInstant } from './instant.ts';
import { printable } from './printable.ts';

/** Judges whether events arrive: one finding for each trouble, or one that says that there is none. Pure. */
export function eventFindings({ told, disabled, deliveries }: Standing['events']): Finding[] {
  const isOff = new Set(disabled.map(({ name }) => name));
  const troubles = [
    ...disabled.map(({ name, disabledAt, reason }) => ({
      says: `${name} is left alone since ${isoInstant(disabledAt)}: ${reason}`,
      doThis: `once it listens again, run \`maedal events enable ${name}\``,
    })),
    ...deliveries.flatMap(({ name, waiting, overdue, givenUp }) => {
      if (!told.includes(name) && waiting > 0) return [orphaned(name, waiting)];
      if (overdue > 0) return [stuck(name, overdue)];
      return givenUp > 0 && told.includes(name) && !isOff.has(name) ? [lost(name, givenUp)] : [];
    }),
  ];
  if (troubles.length === 0) return [{ name: 'events', level: 'ok', says: 'all arrive, or there is nobody to tell' }];
  return troubles.map(({ says, doThis }) => ({ name: 'events', level: 'warn', says: printable(says), doThis }));
}

function orphaned(name: string, waiting: number) {
  return {
    says: `${waiting} wait for ${name}, which is configured no more; after three days they are given up`,
    doThis: 'put it back into the configuration and start again, or leave it so',
  };
}

function stuck(name: string, overdue: number) {
  return {
    says: `${overdue} wait for ${name} longer than the three days that they have`,
    doThis: 'start a worker, or run `maedal bill`: they are tried once more',
  };
}

function lost(name: string, givenUp: number) {
  return {
    says: `${givenUp} of the last ten days did not arrive at ${name} and are given up`,
    doThis: `see /v1/events for why; then \`maedal events replay --endpoint ${name} --undelivered --from …\``,
  };
}
