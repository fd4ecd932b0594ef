import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { BOARD_POLICY } from './headers.ts';
import { answerError, type ReportError, sendProblem } from './problem.ts';

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
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, helmet: { contentSecurityPolicy: BOARD_POLICY } };
      // Its own handler would show the message of whatever failed.
      route.errorHandler = (error, request, reply) => void answerError(error, { request, reply, report });
    });
    // It hands what it is asked on to the queue, whose database then refuses it as an error of ours.
    scope.addHook('preValidation', async (request, reply) => {
      if (/%00/.test(request.url) || !Query.safeParse(request.query).success)
        return sendProblem(reply, 400, 'the queue knows no such status or page');
      return undefined;
    });
    // Fonts of another host, which the policy above would refuse with an error on every page.
    scope.addHook('onSend', async (_request, _reply, payload) =>
      typeof payload === 'string' ? payload.replace(FOREIGN_FONTS, '') : payload,
    );
    await scope.register(serverAdapter.registerPlugin(), { prefix: '/queues' });
  });
}

const Count = z
  .string()
  .regex(/^[1-9]\d{0,5}$/)
  .optional();
/** What Bull Board's page asks with, as far as it reaches the queue. */
const Query = z.looseObject({
  status: z
    .enum([
      'latest',
      'active',
      'waiting',
      'waiting-children',
      'prioritized',
      'completed',
      'failed',
      'delayed',
      'paused',
    ])
    .optional(),
  page: Count,
  jobsPerPage: Count,
});

const FOREIGN_FONTS = /<link[^>]*https:\/\/fonts\.[^>]*>/g;
