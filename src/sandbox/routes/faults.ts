import type { FastifyInstance } from 'fastify';
import type { Core } from '../core.ts';
import { Refusal } from '../envelope.ts';
import type { FaultCount } from '../faults/faults.ts';
import { fieldsOf, invalid } from '../fields.ts';

type ById = { Params: { id: string } };

/** `/_sandbox/faults`: what goes wrong on purpose, and how often it did. Needs no token; a restart forgets the faults. */
export function registerFaultRoutes(app: FastifyInstance, { faults }: Core): void {
  app.get('/_sandbox/faults', () => rows(faults.list()));
  app.post('/_sandbox/faults', ({ body }) => {
    const { faults: many } = fieldsOf(body);
    if (many === undefined) return rows(faults.add([body]));
    if (!Array.isArray(many) || many.length > 1_000) throw invalid('faults is not a list of at most 1,000 entries');
    return rows(faults.add(many));
  });
  app.delete('/_sandbox/faults', () => rows(faults.remove(null)));
  app.delete<ById>('/_sandbox/faults/:id', ({ params }) => {
    const gone = faults.remove(params.id);
    if (gone.length === 0) throw new Refusal(404, -1, `there is no fault '${params.id}'`);
    return rows(gone);
  });
}

function rows(data: readonly FaultCount[]): { data: readonly FaultCount[]; next_cursor: null } {
  return { data, next_cursor: null };
}
