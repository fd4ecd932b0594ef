import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { decideBefore, type HookSaid, type HookStanding } from '../../src/billing/before-charge.ts';

const now = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
const first: HookStanding = {
  hook: 'gate',
  wasSent: false,
  amountMinor: 9_900,
  taxFreeMinor: 0,
  vatMinor: 900,
  name: '원두',
  customData: null,
  ceilingMinor: 12_000,
  deferredSeconds: 0,
  now,
};
const A_DAY = 86_400;
const inDays = (days: number) => now.plus({ days }).toISO() ?? '';
const failed = { kind: 'failed', reason: 'it threw', onError: 'defer', failures: 0 } as const;

test.each<[HookSaid, Partial<HookStanding>, object]>([
  // what it said, how the attempt stands → what is charged
  [{ kind: 'proceed' }, {}, { amountMinor: 9_900, vatMinor: 900 }],
  [{ ...failed, onError: 'proceed' }, {}, { amountMinor: 9_900 }],
  [{ kind: 'adjust' }, {}, { amountMinor: 9_900, taxFreeMinor: 0, vatMinor: 900, name: '원두', customData: null }],
  [{ kind: 'adjust', amount: 12_000 }, {}, { amountMinor: 12_000, vatMinor: null }], // PortOne computes it anew
  [{ kind: 'adjust', amount: 5_000, vat: 100 }, {}, { amountMinor: 5_000, vatMinor: 100 }],
  [{ kind: 'adjust', vat: null }, {}, { amountMinor: 9_900, vatMinor: null }],
  [{ kind: 'adjust', amount: 5_000 }, { taxFreeMinor: 9_900 }, { taxFreeMinor: 5_000 }],
  [{ kind: 'adjust', taxFree: 9_000 }, {}, { taxFreeMinor: 9_000, vatMinor: 900 }],
  [{ kind: 'adjust', name: '사용량', customData: { m: 1 } }, {}, { name: '사용량', customData: { m: 1 } }],
  [{ kind: 'adjust', amount: 11_000 }, { wasSent: true }, { amountMinor: 9_900 }], // later ones keep it, or lower it
  [{ kind: 'adjust', amount: 8_000 }, { wasSent: true }, { amountMinor: 8_000 }],
])('%j of %j is charged', (said, standing, charged) => {
  expect(decideBefore(said, { ...first, ...standing })).toMatchObject({ kind: 'go', charged });
});

test.each<[HookSaid, Partial<HookStanding>, string, string]>([
  [{ kind: 'adjust', amount: 12_001 }, {}, 'held', 'it asks for 12001, and its plan allows 12000 at most'],
  [{ kind: 'adjust', amount: 0 }, {}, 'waived', 'there is nothing to charge'],
  [{ kind: 'adjust', taxFree: 9_001 }, {}, 'held', 'its tax is more than the amount, 9900'],
  [{ kind: 'adjust', taxFree: 9_901, vat: null }, {}, 'held', 'its tax is more than the amount, 9900'],
  [{ kind: 'skip', reason: 'on vacation' }, {}, 'waived', 'on vacation'],
  [{ kind: 'hold', reason: 'odd' }, {}, 'held', 'odd'],
  [{ ...failed, onError: 'block' }, {}, 'held', 'it threw'],
  [failed, { deferredSeconds: 7 * A_DAY }, 'held', 'put off for seven days in all: it threw'],
  [
    { kind: 'defer', until: inDays(1) },
    { deferredSeconds: 7 * A_DAY },
    'held',
    'put off for seven days in all: defers it',
  ],
])('%j of %j charges nothing: %s', (said, standing, to, reason) => {
  expect(decideBefore(said, { ...first, ...standing })).toEqual({
    kind: 'withdrawn',
    to,
    reason: `hook gate: ${reason}`,
  });
});

test.each<[HookSaid, number, number]>([
  // what it said, seconds put off so far → seconds put off now
  [{ kind: 'defer', until: inDays(1) }, 0, A_DAY],
  [{ kind: 'defer', until: inDays(30) }, 0, 7 * A_DAY],
  [{ kind: 'defer', until: inDays(3) }, 5 * A_DAY, 2 * A_DAY],
  [{ kind: 'defer', until: inDays(-3) }, 0, 60],
  [failed, 0, 60],
  [{ ...failed, failures: 3 }, 0, 480],
  [{ ...failed, failures: 1_000 }, 0, 21_600],
])('%j is put off', (said, deferredSeconds, seconds) => {
  expect(decideBefore(said, { ...first, deferredSeconds })).toMatchObject({
    kind: 'deferred',
    seconds,
    until: now.plus({ seconds }),
  });
});

test('nothing that a hook says charges above the ceiling, or puts off for more than seven days in all', () => {
  const said = fc.oneof(
    fc.record({ kind: fc.constant('adjust' as const), amount: fc.nat(50_000), taxFree: fc.nat(50_000) }),
    fc.record({ kind: fc.constant('defer' as const), until: fc.integer({ min: -9, max: 99 }).map(inDays) }),
    fc.record({ ...mapped(failed), failures: fc.nat(500) }),
  );
  const standing = fc.record({ wasSent: fc.boolean(), deferredSeconds: fc.nat(9 * A_DAY) });
  fc.assert(
    fc.property(said, standing, (one, how) => {
      const decision = decideBefore(one, { ...first, ...how });
      if (decision.kind === 'go') {
        expect(decision.charged.amountMinor).toBeLessThanOrEqual(how.wasSent ? 9_900 : 12_000);
        expect(decision.charged.amountMinor).toBeGreaterThan(0);
      }
      if (decision.kind === 'deferred') expect(how.deferredSeconds + decision.seconds).toBeLessThanOrEqual(7 * A_DAY);
    }),
  );
});

function mapped({ kind, reason, onError }: typeof failed) {
  return { kind: fc.constant(kind), reason: fc.constant(reason), onError: fc.constant(onError) };
}
