import { assertNever } from '../billing/errors.ts';
import type { Fence } from '../store/fence.ts';
import type { Missing, Standing } from '../store/inspection.ts';
import { eventFindings } from './doctor-events.ts';
import type { Finding } from './finding.ts';
import { isoInstant } from './instant.ts';

/** Judges what stands between due invoices and their charges: fence, kill switch, audit, and what is configured; and how events arrive. Pure. */
export function standingFindings(standing: Standing, daysBetweenTicks: number): Finding[] {
  const { missing } = standing;
  return [
    fenceFinding(standing.fence),
    sendingFinding(standing.switchedOff),
    auditFinding(standing.audited),
    schedulesFinding(standing.schedulesUnclear),
    ticksFinding(standing.shortestDays, daysBetweenTicks),
    missingFinding('policies', missing, POLICY_IS_GONE),
    missingFinding('channels', missing, CHANNEL_IS_GONE),
    ...eventFindings(standing.events),
  ];
}

function fenceFinding(fence: Fence): Finding {
  const name = 'fence';
  switch (fence.kind) {
    case 'open':
      return { name, level: 'ok', says: "this database is this installation's" };
    case 'not-adopted':
      return { name, level: 'warn', says: `nothing is sent: ${fence.reason}`, doThis: 'run `maedal adopt --reason …`' };
    case 'foreign':
      return {
        name,
        level: 'bad',
        says: `this installation only reads: ${fence.reason}`,
        doThis:
          'check DATABASE_URL, MAEDAL_SECRET and the PortOne key; if all are right, run `maedal adopt --reason …`',
      };
    default:
      return assertNever(fence);
  }
}

/** An hour more is where clocks are set back. */
function ticksFinding(shortestDays: number | null, daysBetweenTicks: number): Finding {
  const name = 'ticks';
  if (shortestDays === null || daysBetweenTicks <= shortestDays + 1 / 24)
    return { name, level: 'ok', says: '`schedule` looks at least once a period' };
  const days = Number.isFinite(daysBetweenTicks) ? `${Math.ceil(daysBetweenTicks)} days` : 'years';
  return {
    name,
    level: 'warn',
    says: `up to ${days} pass between two ticks of \`schedule\`, and some subscriptions are charged every ${shortestDays === 1 ? 'day' : `${shortestDays} days`}: of several periods that one tick finds, \`catchUp\` says which are charged`,
    doThis: 'leave `schedule` out, which ticks every minute, or have it tick once a period at least',
  };
}

function sendingFinding(switchedOff: Standing['switchedOff']): Finding {
  const name = 'sending';
  if (switchedOff === null) return { name, level: 'ok', says: 'on' };
  const { reason, by } = switchedOff;
  return {
    name,
    level: 'bad',
    says: `off: ${reason ?? 'no reason was given'}${by === null ? '' : ` (${by})`}`,
    doThis: 'once that is settled, run `maedal send on --reason …`',
  };
}

function auditFinding(audited: Standing['audited']): Finding {
  const name = 'audit';
  if (audited === null) {
    const says = 'none has passed: every charge is preceded by a look-up';
    return {
      name,
      level: 'warn',
      says,
      doThis: 'start a scheduler, which makes one; see its log, or run `maedal reconcile`',
    };
  }
  const at = isoInstant(audited.at);
  if (audited.counts) return { name, level: 'ok', says: `the last one passed at ${at}` };
  const says = `the last one that passed began at ${at}, and counts no more: every charge is preceded by a look-up`;
  return { name, level: 'warn', says, doThis: 'start a scheduler, which makes one a day; see its log' };
}

function schedulesFinding(unclear: Standing['schedulesUnclear']): Finding {
  const name = 'schedules';
  if (unclear === null) return { name, level: 'ok', says: 'no audit failed to list those of PortOne' };
  return {
    name,
    level: 'bad',
    says: `those of PortOne could not be listed: ${unclear}; a card that has one is charged by both`,
    doThis:
      'look for scheduled payments (예약결제) in the PortOne console; they are asked for again every five minutes',
  };
}

type Gone = { readonly kind: Missing['kind']; readonly where: string; readonly means: string; readonly doThis: string };

/** Nothing stops for a name that left the configuration; but what happens then is hardly what was meant. */
function missingFinding(name: string, missing: Standing['missing'], { kind, where, means, doThis }: Gone): Finding {
  const gone = missing.filter((one) => one.kind === kind);
  if (gone.length === 0) return { name, level: 'ok', says: 'all that subscriptions name are configured' };
  const names = gone
    .map((one) => `'${one.name}' (${one.subscriptions} subscription${one.subscriptions === 1 ? '' : 's'})`)
    .join(', ');
  return { name, level: 'warn', says: `not under \`${where}\`: ${names}; ${means}`, doThis };
}

const POLICY_IS_GONE: Gone = {
  kind: 'policy',
  where: 'dunning',
  means: "from their next decision on they are collected by 'default'",
  doThis: 'put them back under `dunning` and start again, or leave it so: no charge is lost',
};
const CHANNEL_IS_GONE: Gone = {
  kind: 'channel',
  where: 'channels',
  means: "they are charged with the times and limits of 'default'",
  doThis: 'put them back under `channels` and start again: their horizon may be longer than that of `default`',
};
