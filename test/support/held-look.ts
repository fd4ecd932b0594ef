import { BATCH } from '../../src/scheduler/deps.ts';
import type { ScheduleStore } from '../../src/store/schedule-store.ts';

/** The same store; whatever a look calls not due is tried all the same, and throws if it would have done something. */
export function heldLook(
  store: ScheduleStore,
  policyVersions: Readonly<Record<string, string>>,
  sandbox: boolean,
): ScheduleStore {
  return {
    ...store,
    dueInTick: async () => {
      const due = await store.dueInTick();
      const { arrears, endings } = due;
      await nothing(
        { arrears, endings },
        {
          arrears: () => store.clearArrears(),
          endings: () => store.endStopped(),
        },
      );
      return due;
    },
    dueInSweep: async (settles) => {
      const due = await store.dueInSweep(settles);
      await nothing(due, {
        leftBehind: async () => (settles ? (await store.unsettledInvoices(BATCH)).length : 0),
        expired: () => store.expireSends(BATCH),
        captures: async () => (await store.unaccountedCaptures(BATCH, sandbox)).length,
        givenCards: async () => (await store.payableByGivenCards(BATCH)).length,
        awaited: async () => (await store.cardsAwaited(BATCH, policyVersions)).length,
        steps: () => store.enterSteps(BATCH),
        retries: async () => (await store.retriesDue(BATCH, null)).length,
        rings: async () => (await store.ring(BATCH, 120, null)).length,
      });
      return due;
    },
  };
}

async function nothing<Part extends string>(
  due: Readonly<Record<Part, boolean>>,
  tries: Readonly<Record<Part, () => Promise<number>>>,
): Promise<void> {
  for (const part in tries) {
    if (!due[part] && (await tries[part]()) > 0) throw new Error(`a look passed over what was due: ${part}`);
  }
}
