import type { FastifyInstance } from 'fastify';
import { cancelPayment } from '../cancelling.ts';
import type { Core } from '../core.ts';
import { fieldsOf } from '../fields.ts';

type ByUid = { Params: { imp_uid: string } };

/** What people do in PortOne's console: cancel a payment, and see which webhooks were sent. Needs no token. */
export function registerConsoleRoutes(app: FastifyInstance, core: Core): void {
  app.get('/_sandbox/webhooks', () => ({ data: core.webhooks.deliveries, next_cursor: null }));
  app.post<ByUid>('/_sandbox/payments/:imp_uid/cancel', ({ params, body }) => {
    const payment = cancelPayment(core, { ...fieldsOf(body), imp_uid: params.imp_uid });
    const cancel = payment.cancels.at(-1);
    if (cancel !== undefined) {
      core.webhooks.tell(core, payment, { status: 'cancelled', cancellation_id: cancel.cancellationId });
    }
    return { imp_uid: payment.impUid, cancellation_id: cancel?.cancellationId, amount: cancel?.minor };
  });
}
