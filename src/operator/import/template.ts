import type { DateTime } from 'luxon';
import { InputError } from '../../billing/errors.ts';

/**
 * Replaces dates relative to today in an import file: `{{today}}`, `{{today-3}}` (days) or `{{today-10+1month}}`,
 * steps taken from left to right. Today is the date at `now` in `zone`, which is to be the rows' own. A month or year
 * ends on its last day where the date does not exist, like the calendar's. Throws InputError for any other `{{…}}`.
 */
export function fillTemplate(text: string, now: DateTime, zone: string): string {
  const today = now.setZone(zone).startOf('day');
  return text.replaceAll(/\{\{([^{}\n]*)\}\}/g, (token: string, inner: string) => {
    if (!/^today(?:[+-]\d{1,5}(?:days?|weeks?|months?|years?)?)*$/.test(inner)) {
      throw new InputError(`${token} is not a date token`, 'write {{today}}, {{today-3}} or {{today-10+1month}}');
    }
    let date = today;
    for (const [, sign, count, unit] of inner.matchAll(/([+-])(\d+)(day|week|month|year)?/g)) {
      date = date.plus({ [unit ?? 'day']: Number(count) * (sign === '-' ? -1 : 1) });
    }
    return date.toISODate() ?? '';
  });
}
