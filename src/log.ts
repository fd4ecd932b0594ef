import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { BillingEvent, Report } from './events.ts';

/** Writes log lines to stderr: JSON, or for people where a person is watching. Results alone go to stdout. */
export function createLogger(level: string, forPeople: boolean): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS, censor: '[secret]' },
    serializers: { error: errorFields },
  };
  return pino(options, forPeople ? prettyStderr() : pino.destination({ dest: 2, sync: true }));
}

/** Turns what the flows report into log lines: ids are fields, not prose. */
export function reportTo(logger: Logger): Report {
  return (event) => {
    const { kind, ...fields } = event;
    logger[levelOf(event)](fields, kind);
  };
}

/** `debug` is routine, `info` a finished charge, `warn` what heals itself, `error` what a person must act on. */
function levelOf(event: BillingEvent): 'debug' | 'info' | 'warn' | 'error' {
  switch (event.kind) {
    case 'tick.finished':
      return event.drawnUp > 0 ? 'info' : 'debug';
    case 'charge.finished':
      return event.next === 'review' ? 'error' : 'info';
    case 'refund.finished':
      return event.state === 'failed' ? 'error' : 'info';
    case 'sweep.finished':
    case 'job.idle':
    case 'hint.followed':
      return 'debug';
    case 'delivery.finished':
      return event.outcome === 'delivered' ? 'debug' : 'warn';
    case 'audit.finished':
    case 'failpoint.fired':
    case 'embedded.says':
      return 'info';
    case 'capture.accounted':
      return event.as === 'settled' ? 'info' : 'error'; // settled, it is a charge that is finished like others
    case 'hook.said':
      return event.severity;
    case 'hook.failed':
    case 'queue.full':
    case 'gateway.slowed':
    case 'audit.unclear':
    case 'record.superseded':
    case 'work.failed':
    case 'connection.failed':
    case 'waiting':
      return 'warn';
    case 'audit.found':
    case 'audit.schedules_unclear':
    case 'endpoint.disabled':
    case 'embedded.failed':
    case 'fence.closed':
    case 'sending.stopped':
    case 'gateway.refused':
    case 'subscription.broken':
      return 'error';
  }
}

/** Name, message, code and causes; never the object itself, on which request libraries hang whole configurations. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: errorFields(error.cause) };
  return {
    name: error.name,
    message: error.message
      .trim()
      .replace(/\s*\n\s*/g, ' ')
      .slice(0, 500),
    ...code,
    ...cause,
  };
}

function prettyStderr(): DestinationStream {
  return pretty({
    destination: 2,
    sync: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
  });
}

const SECRET_FIELDS = [
  'authorization',
  'access_token',
  'imp_key',
  'imp_secret',
  'secret',
  'password',
  'token',
  'card_number',
  'expiry',
  'birth',
  'pwd_2digit',
  'cvc',
].flatMap((name) => [name, `*.${name}`]);
