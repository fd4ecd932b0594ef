import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { type Reconciled, renderReconciled } from '../../src/cli/reconcile-report.ts';
import type { Audited, Finding } from '../../src/scheduler/audit-tally.ts';

const NOTHING = { unknown: 0, uncounted: 0, different: 0, foreign: 0, missing: 0, booked: 0 };
const ON = { enabled: true, reason: null, changedBy: null };
const at = (text: string) => DateTime.fromISO(text, { zone: 'utc' });

function report(fields: Partial<Audited> = {}, rest: Partial<Reconciled> = {}): string {
  const audited: Audited = {
    window: { from: at('2027-01-28T15:00:00Z'), until: at('2027-01-31T15:00:00Z') },
    ...{ listed: 12, ours: 10, counts: NOTHING, findings: [], unclear: null, bookedUnclear: null },
    ...fields,
  };
  return renderReconciled({ audited, effect: 'record', sending: ON, ...rest });
}

test('books that agree take two lines', () => {
  expect(report()).toBe(
    'From 2027-01-28T15:00:00Z until 2027-01-31T15:00:00Z PortOne lists 12 payments, 10 of them ours.\nBoth sides agree.',
  );
});

test.each(Object.keys(NOTHING) as Finding['kind'][])(
  'a finding of the kind %s says what it means and what to do',
  (kind) => {
    const finding: Finding = { kind, impUid: 'imps_1', merchantUid: 'uid-1', reason: 'is as it is' };
    const said = report({ counts: { ...NOTHING, [kind]: 1 }, findings: [finding] });
    expect(said).toMatch(/\n\n.+: 1\n {2}.+\n {2}→ .+\n {4}imps_1 \(uid-1\) is as it is$/);
    expect(said).not.toContain('agree');
  },
);

test('of many findings of a kind the first are shown, and how many there are', () => {
  const finding: Finding = { kind: 'foreign', impUid: null, merchantUid: 'x', reason: 'was taken' };
  const findings = Array.from({ length: 60 }, () => finding);
  const said = report({ counts: { ...NOTHING, foreign: 1_234 }, findings });
  expect(said.match(/ {4}x was taken/g)).toHaveLength(50);
  expect(said).toContain('and 1184 more');
});

test('what could not be read, or was not written, or is switched off, is said', () => {
  expect(report({ unclear: 'a page got lost' })).toMatch(/could not be read to its end: a page got lost/);
  expect(report({ unclear: 'a page got lost' })).not.toContain('agree');
  expect(report({ bookedUnclear: 'HTTP 404' })).toContain("PortOne's own schedules could not be listed: HTTP 404.");
  expect(report({}, { effect: 'look' })).toContain('Nothing was written');
  expect(report({}, { sending: { enabled: false, reason: 'imps_1', changedBy: 'maedal/audit' } })).toMatch(
    /Sending is off: imps_1$/,
  );
});
