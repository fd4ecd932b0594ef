import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { InputError } from '../../../src/billing/errors.ts';
import { fillTemplate } from '../../../src/operator/import/template.ts';

const now = DateTime.fromISO('2027-03-30T16:00:00Z'); // already 31 March in Seoul

test.each([
  ['{{today}}', '2027-03-31'],
  ['{{today+1}}', '2027-04-01'],
  ['{{today-31}}', '2027-02-28'],
  ['{{today+2weeks}}', '2027-04-14'],
  ['{{today+1month}}', '2027-04-30'],
  ['{{today-1month}}', '2027-02-28'],
  ['{{today-30+1month}}', '2027-04-01'],
  ['{{today-1year+1day}}', '2026-04-01'],
  ['a,{{today}} {{today+1}},{b}', 'a,2027-03-31 2027-04-01,{b}'],
])('%s becomes %s', (text, filled) => {
  expect(fillTemplate(text, now, 'Asia/Seoul')).toBe(filled);
});

test('today is the date in the zone', () => {
  expect(fillTemplate('{{today}}', now, 'America/New_York')).toBe('2027-03-30');
});

test.each(['{{tomorrow}}', '{{ today }}', '{{today+}}', '{{today+1fortnight}}', '{{}}'])('%s is refused', (text) => {
  expect(() => fillTemplate(`a,${text}`, now, 'Asia/Seoul')).toThrow(InputError);
  expect(() => fillTemplate(text, now, 'Asia/Seoul')).toThrow(`${text} is not a date token; write {{today}}`);
});
