import type { Edit, Mutant } from './mutant.ts';

const OVERLOOKED = {
  file: 'src/store/intent.ts',
  find: '\n         AND (attempt.send_count > 0 OR NOT coalesce(standing.quarantined_until > maedal_now(), false))',
  replace: '',
};

/** Where the model's intents are written. */
const INTENDING = 'test/fault/model/store/intending.ts';

/** The model's intent reads `what` by a statement of its own, and is given it as `name`. */
function readBeforehand(name: string, what: string): readonly Edit[] {
  const file = 'test/fault/model/processes.ts';
  return [
    {
      file,
      find: 'writeIntent: (...args: Parameters<typeof store.writeIntent>) => {\n      const [attempt] = args;\n',
      replace: `writeIntent: async (...args: Parameters<typeof store.writeIntent>) => {
      const [attempt] = args;
      const ${name} = await stage.call(actor, 'read', 'store', () => ${what});
`,
    },
    { file, find: 'writeIntent(tables, ...args)', replace: `writeIntent(tables, ...args, ${name})` },
  ];
}

/** What has to stand before a POST leaves, and that it leaves once. */
export const INTENTS: readonly Mutant[] = [
  {
    name: 'an order by hand is carried out whatever happened since it was judged',
    catcher: 'test/flow/intervene.test.ts',
    edits: [{ file: 'src/store/interventions.ts', find: ' AND invoice.xmin::text = ${found.version}', replace: '' }],
  },
  {
    name: 'a pause shortens the quarantine of a send that nothing answered',
    catcher: 'test/flow/subscription-orders.test.ts',
    edits: [
      {
        file: 'src/scheduler/awaited-cards.ts',
        find: 'unansweredAt?.plus({ seconds: quarantineSeconds })',
        replace: 'unansweredAt?.plus({ seconds: 0 })',
      },
    ],
  },
  {
    name: 'the POST leaves before its intent is committed',
    catcher: 'model',
    also: ['campaign --classes postgres,wire --charges 200 --backend postgres'],
    edits: [
      {
        file: 'src/worker/charge-invoice.ts',
        find: '  const intent = await deps.store.writeIntent(attempt, limits);',
        replace:
          '  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000, mayStart);\n  const intent = await deps.store.writeIntent(attempt, limits);',
      },
      {
        file: 'src/worker/charge-invoice.ts',
        find: '  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000, mayStart);\n  await deps.failpoints',
        replace: '  await deps.failpoints',
      },
    ],
  },
  {
    name: 'an intent whose commit was not acknowledged is followed by its POST',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/charge-invoice.ts',
        find: '  const intent = await deps.store.writeIntent(attempt, limits);',
        replace:
          "  const intent = await deps.store\n    .writeIntent(attempt, limits)\n    .catch((): Intent => ({ kind: 'sent', sends: 1, sentAt: attempt.now.toJSDate() }));",
      },
    ],
  },
  {
    name: 'a process that was suspended after its intent sends all the same',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/stopwatch.ts',
        find: '() => elapsedMs() <= GUARD_SECONDS * 1_000',
        replace: '() => elapsedMs() <= GUARD_SECONDS * 1e12',
      },
    ],
  },
  {
    name: 'the merchant is asked between an intent and its POST',
    catcher: 'campaign --classes merchant --charges 100 --backend postgres',
    edits: [
      {
        file: 'src/worker/charge-invoice.ts',
        find: "  const asked = await askBefore(deps, leased);\n  return asked.kind === 'go' ? lookAndSend(deps, asked.attempt, brake.stoppedSince) : asked;",
        replace: '  return lookAndSend(deps, leased, brake.stoppedSince);',
      },
      {
        file: 'src/worker/charge-invoice.ts',
        find: "  await deps.failpoints.at('charge.about_to_be_written');\n  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000, mayStart);",
        replace:
          "  const gone = await askBefore(deps, attempt);\n  if (gone.kind !== 'go') return gone;\n  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000, () => true);",
      },
    ],
  },
  {
    name: 'the HTTP client sends a charge again when its connection dies',
    catcher: 'test/gateway/portone/http.test.ts',
    also: ['campaign --classes gateway --charges 200 --backend postgres'],
    edits: [
      {
        file: 'src/gateway/portone/http.ts',
        find: '      return running.outcome;',
        replace:
          "      return running.outcome.then((exchange) => {\n        if (exchange.kind !== 'lost') return exchange;\n        const again = new RunningExchange(failedConnects);\n        again.limit(options.clock, request.timeoutMs);\n        again.start(pool, { ...request, path: prefix + request.path });\n        return again.outcome;\n      });",
      },
    ],
  },
  {
    name: 'a cancel that commits beside an intent is not seen by it',
    catcher: 'test/flow/races.test.ts',
    also: ['model'],
    edits: [
      {
        file: 'src/store/intent.ts',
        find: 'attempt.subscription.id}::uuid FOR SHARE',
        replace: 'attempt.subscription.id}::uuid',
      },
      ...readBeforehand('seen', 'tables.subscriptions.get(attempt.subscription.id)'),
      {
        file: INTENDING,
        find: 'limits: IntentLimits): Intent {\n  const subscription = tables.subscriptions.get(attempt.subscription.id);',
        replace: 'limits: IntentLimits, subscription?: SubscriptionRow): Intent {',
      },
    ],
  },
  {
    name: 'the kill switch is read before the rows that must be waited for',
    catcher: 'test/flow/races.test.ts',
    also: ['model'],
    edits: [
      {
        file: 'src/store/intent.ts',
        find: 'SELECT control.* FROM control JOIN i ON true FOR SHARE OF control',
        replace: 'SELECT control.* FROM control JOIN i ON true',
      },
      ...readBeforehand('control', 'tables.control'),
      {
        file: INTENDING,
        find: 'limits: IntentLimits): Intent {',
        replace: 'limits: IntentLimits, control = tables.control): Intent {',
      },
      { file: INTENDING, find: 'standsAgainst(tables, invoice', replace: 'standsAgainst({ control }, invoice' },
      { file: INTENDING, find: '{ control }: Tables', replace: "{ control }: Pick<Tables, 'control'>" },
    ],
  },
  {
    name: 'the intent overlooks what nothing answered of another attempt',
    catcher: 'test/store/intent.test.ts',
    edits: [OVERLOOKED],
  },
  {
    name: 'an intent is taken back by whoever wrote one before',
    catcher: 'test/store/intent.test.ts',
    edits: [
      {
        file: 'src/store/intent.ts',
        find: " AND fence = ${attempt.fence} AND state = 'sent' AND lease_until",
        replace: " AND state = 'sent' AND lease_until",
      },
    ],
  },
  {
    name: 'nothing is quarantined: neither what is decided nor the intent waits for what nothing answered',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/dunning.ts',
        find: 'const barredUntil = unanswered > 0 ?',
        replace: 'const barredUntil = unanswered > 99 ?',
      },
      OVERLOOKED,
      {
        file: INTENDING,
        find: '    (quarantinedUntil(tables, attempt, limits) <= tables.nowMs || row.send_count > 0) &&\n',
        replace: '',
      },
    ],
  },
  {
    name: 'what was on its way when its channel was stopped leaves all the same',
    catcher: 'test/flow/too-many-requests.test.ts',
    edits: [{ file: 'src/worker/charge-invoice.ts', find: ': way.stoppedSince();', replace: ': null;' }],
  },
  {
    name: 'a refund in hand leaves although its process was told to stop',
    catcher: 'test/flow/refund-stopped.test.ts',
    edits: [
      {
        file: 'src/worker/refund.ts',
        find: '  if (deps.stopped?.aborted === true) return recorded(follow(deps, refund, STOPPING));\n',
        replace: '',
      },
    ],
  },
];
