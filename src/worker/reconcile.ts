import { judgeLookUp } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { observe } from '../store/observations.ts';
import { asked } from './asked.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Asks the gateway what became of an attempt whose answer never came. It never charges: while the fate is unknown the
 * attempt waits for the next look-up. Proving that nothing happened, so that the same id may be sent again, is a rule
 * of its own and not taken here.
 */
export async function reconcile(deps: WorkerDeps, attempt: LeasedAttempt): Promise<Conclusion> {
  const answer = await deps.gateway.lookUp(attempt.merchantUid);
  if (answer.kind === 'found') await observe(deps.db, answer.records, 'look_up');
  const sends = attempt.sendCount - attempt.notSentCount;
  return { kind: 'outcome', outcome: judgeLookUp(answer, asked(deps, attempt, sends, [])) };
}
