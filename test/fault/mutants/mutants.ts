/** A bug planted on purpose: in `file`, which may hold it once only, `find` becomes `replace`. */
export type Mutant = {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** What must catch it: the seeded model, the campaign over real processes, or a test of the suite by its file. */
  readonly catcher: 'model' | 'campaign' | `test/${string}`;
};

/** Each a way in which others have charged twice or lost a charge (protocol §3.5). */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a timeout is taken for a decline',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return answer;\n    case 'unknown':\n      return { kind: 'unknown', reason: answer.reason };",
        replace:
          "      return answer;\n    case 'unknown':\n      return { kind: 'rejected', decline: UNSAID, unanswered: 0 };",
      },
    ],
  },
  {
    name: '"not found" makes room for another id',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "      return { kind: 'not-found' };",
        replace: "      return { kind: 'rejected', decline: UNSAID, unanswered: 0 };",
      },
    ],
  },
  {
    name: '"not found" sends the same id again at once, without a horizon',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/absence.ts',
        find: 'return notFound >= ANSWERS && isHorizonOver(sentAt, now, horizonSeconds);',
        replace: 'return notFound > 0 || isHorizonOver(sentAt, now, horizonSeconds) || ANSWERS > 0;',
      },
    ],
  },
  {
    name: 'the POST leaves before its intent is committed',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/charge-invoice.ts',
        find: '  const intent = await deps.store.writeIntent(attempt, limits);',
        replace:
          '  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000);\n  const intent = await deps.store.writeIntent(attempt, limits);',
      },
      {
        file: 'src/worker/charge-invoice.ts',
        find: '  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000);\n  await deps.failpoints',
        replace: '  await deps.failpoints',
      },
    ],
  },
  {
    name: 'nobody looks before a send',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/before-sending.ts',
        find: '  const seen: string[] = [];\n  for (const { merchantUid, wasSeen }',
        replace:
          '  const seen: string[] = [];\n  if (seen.length === 0) return CLEAR;\n  for (const { merchantUid, wasSeen }',
      },
    ],
  },
  {
    name: 'a decline frees the next id although a send is unanswered',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/dunning.ts',
        find: 'const barredUntil = unanswered > 0 ?',
        replace: 'const barredUntil = unanswered > 99 ?',
      },
    ],
  },
  {
    name: 'only the newest record of an id counts',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/outcome.ts',
        find: "  const paid = records.filter((record) => record.status === 'paid').sort(byCapture);",
        replace:
          "  const last = records.reduce<PaymentRecord | null>(newer, null);\n  const paid = (last === null ? [] : [last]).filter((record) => record.status === 'paid').sort(byCapture);",
      },
    ],
  },
  {
    name: 'a capture that nobody was waiting for is forgotten',
    catcher: 'model',
    edits: [
      {
        file: 'src/scheduler/account-captures.ts',
        find: '  const captures = await deps.store.unaccountedCaptures(BATCH, deps.sandbox);',
        replace: '  const captures = (await deps.store.unaccountedCaptures(BATCH, deps.sandbox)).slice(0, 0);',
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
        file: 'src/worker/charge-invoice.ts',
        find: 'if (elapsedMs() > GUARD_MS)',
        replace: 'if (elapsedMs() > GUARD_MS * 1e9)',
      },
    ],
  },
  {
    name: 'a late decline overrules whoever has the attempt now',
    catcher: 'model',
    edits: [
      {
        file: 'src/billing/transition.ts',
        find: "    from: ['sent', 'unknown'] as const,\n    fence: 'fenced' as const,",
        replace: "    from: ['sent', 'unknown'] as const,\n    fence: 'unfenced' as const,",
      },
    ],
  },
  {
    name: 'the canary is not asked for',
    catcher: 'model',
    edits: [
      {
        file: 'src/worker/reconcile.ts',
        find: '  return isSeen ?',
        replace: '  return isSeen || seen.kind.length > 0 ?',
      },
    ],
  },
  {
    name: 'a job keeps one id for ever, and the queue keeps it',
    catcher: 'test/queue/redis.test.ts',
    edits: [
      {
        file: 'src/queue/charge-queue.ts',
        find: 'jobs.map(({ attemptId, generation }) => {',
        replace: 'jobs.map(({ attemptId }) => {\n          const generation = 1;',
      },
      { file: 'src/queue/charge-queue.ts', find: 'removeOnComplete: true', replace: 'removeOnComplete: false' },
    ],
  },
  {
    name: 'the HTTP client sends a charge again when its connection dies',
    catcher: 'test/gateway/portone/http.test.ts',
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
    name: 'a look-up asks for the first page only',
    catcher: 'test/gateway/portone/look-up.test.ts',
    edits: [
      { file: 'src/gateway/portone/look-up.ts', find: 'if (page.next === 0)', replace: 'if (page.next >= 0)' },
      {
        file: 'src/gateway/portone/look-up.ts',
        find: '  if (records.length !== total)',
        replace: '  if (records.length > total)',
      },
    ],
  },
  {
    name: 'the index that allows one living attempt is gone',
    catcher: 'test/flow/intent.test.ts',
    edits: [
      {
        file: 'prisma/migrations/20261124000000_tables/migration.sql',
        find: 'CREATE UNIQUE INDEX attempt_one_alive ON attempt (invoice_id)',
        replace: 'CREATE INDEX attempt_one_alive ON attempt (invoice_id)',
      },
    ],
  },
  {
    name: 'a cancel that commits beside an intent is not seen by it',
    catcher: 'test/flow/races.test.ts',
    edits: [
      {
        file: 'src/store/intent.ts',
        find: 'attempt.subscription.id}::uuid FOR SHARE',
        replace: 'attempt.subscription.id}::uuid',
      },
    ],
  },
  {
    name: 'the kill switch is read before the rows that must be waited for',
    catcher: 'test/flow/races.test.ts',
    edits: [
      {
        file: 'src/store/intent.ts',
        find: 'SELECT control.* FROM control JOIN i ON true FOR SHARE OF control',
        replace: 'SELECT control.* FROM control JOIN i ON true',
      },
    ],
  },
  {
    name: 'a lease is given to whoever asks',
    catcher: 'test/store/fences.test.ts',
    edits: [
      {
        file: 'src/store/lease.ts',
        find: 'AND (attempt.lease_until <= maedal_now() OR attempt.lease_until IS NULL)',
        replace: '',
      },
    ],
  },
];
