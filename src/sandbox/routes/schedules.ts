import type { FastifyInstance } from 'fastify';
import { DateTime } from 'luxon';
import { scheduleAnnotation } from '../annotations.ts';
import type { Core } from '../core.ts';
import type { Schedule } from '../entry.ts';
import { type Envelope, Refusal, success } from '../envelope.ts';
import { type Fields, fieldsOf, invalid, optionalText, requiredText, wholeNumber } from '../fields.ts';
import { pageOf } from '../listing.ts';
import { bookSchedules, revokeSchedules } from '../schedules.ts';

type ByMerchantUid = { Params: { merchant_uid: string } };
type ByCustomerUid = { Params: { customer_uid: string } };

/** Charges booked for later: PortOne makes them when they are due. To move or retry one is not offered. */
export function registerScheduleRoutes(api: FastifyInstance, core: Core): void {
  api.post('/subscribe/payments/schedule', ({ body }) => all(core, bookSchedules(core, fieldsOf(body))));
  api.post('/subscribe/payments/unschedule', ({ body }) => all(core, revokeSchedules(core, fieldsOf(body))));
  api.get('/subscribe/payments/schedule', ({ query }) => {
    const fields = fieldsOf(query);
    return listed(core, fields, { from: 'schedule_from', to: 'schedule_to', status: 'schedule_status', of: null });
  });
  api.get<ByMerchantUid>('/subscribe/payments/schedule/:merchant_uid', ({ params }) => {
    const schedule = core.state.schedules.get(params.merchant_uid);
    if (schedule === undefined) throw new Refusal(404, -1, '예약결제 정보가 존재하지 않습니다.');
    return success(shown(core, schedule));
  });
  for (const url of [
    '/subscribe/payments/schedule/customers/:customer_uid',
    '/subscribe/customers/:customer_uid/schedules',
  ]) {
    api.get<ByCustomerUid>(url, ({ params, query }) => {
      const names = { from: 'from', to: 'to', status: 'schedule-status', of: params.customer_uid };
      return listed(core, fieldsOf(query), names);
    });
  }
}

type Names = { readonly from: string; readonly to: string; readonly status: string; readonly of: string | null };

/** A page of what is due from `from` to before `to`, at most three months, the newest first (S13, S15). */
function listed(core: Core, query: Fields, { from, to, status, of }: Names): Envelope {
  const fromMs = instantIn(query, from);
  const toMs = instantIn(query, to);
  if (fromMs > toMs || toMs > threeMonthsAfter(fromMs)) throw invalid('조회 기간은 최대 3개월입니다.');
  const wanted = optionalText(query, status);
  if (wanted !== null && !STATUSES.has(wanted)) throw invalid('지원되지 않는 상태값입니다.');
  const found = [...core.state.schedules.values()]
    .filter((schedule) => of === null || schedule.customerUid === of)
    .filter((schedule) => wanted === null || schedule.status === wanted)
    .filter(({ scheduleAtMs }) => fromMs <= scheduleAtMs && scheduleAtMs < toMs)
    .sort((a, b) => b.scheduleAtMs - a.scheduleAtMs);
  const isOldestFirst = optionalText(query, 'sorting') === 'scheduled';
  const { list, ...rest } = pageOf(isOldestFirst ? found.reverse() : found, query);
  return success({ ...rest, list: list.map((schedule) => shown(core, schedule)) });
}

function instantIn(query: Fields, name: string): number {
  requiredText(query, name);
  return wholeNumber(query, name, { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER }) * 1_000;
}

function all(core: Core, schedules: readonly Schedule[]): Envelope {
  return success(schedules.map((schedule) => shown(core, schedule)));
}

function shown(core: Core, schedule: Schedule): Record<string, unknown> {
  return scheduleAnnotation(schedule, core.state.payments.get(schedule.impUid ?? ''));
}

const STATUSES: ReadonlySet<string> = new Set(['scheduled', 'executed', 'revoked']);
/** By the calendar, which is the strictest that "at most three months" can mean. */
function threeMonthsAfter(fromMs: number): number {
  return DateTime.fromMillis(fromMs, { zone: 'Asia/Seoul' }).plus({ months: 3 }).toMillis();
}
