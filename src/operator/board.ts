import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { BOARD_POLICY } from './headers.ts';
import type { ReportError } from './problem.ts';

/** A BullMQ queue as Bull Board takes it; BullMQ itself belongs to `queue/`. */
export type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];

/** Bull Board at `/queues`, to look and not to touch. */
export async function registerBoard(app: FastifyInstance, queues: readonly BoardQueue[], report: ReportError) {
  const serverAdapter = new FastifyAdapter().setBasePath('/queues');
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'maedal', miscLinks: [{ text: 'Overview', url: '/' }] } },
  });
  // Its own handler would show the message of whatever failed.
  serverAdapter.setErrorHandler((error) => {
    report(error, 'Bull Board');
    return { status: 500, body: { error: 'Internal Server Error' } };
  });
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, helmet: { contentSecurityPolicy: BOARD_POLICY } };
    });
    await scope.register(serverAdapter.registerPlugin(), { prefix: '/queues' });
  });
}
