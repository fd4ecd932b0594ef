import { InputError } from '../billing/errors.ts';

/**
 * Switches for what public sources of PortOne V1 leave open or contradict each other about
 * (fact sheet §12 and the "Mode" cases of §11). All are fixed when the sandbox starts.
 */
export type SandboxModes = {
  /** Payments and keys call themselves live (`sandbox: false`) and need no `include_sandbox` (R2). */
  readonly liveChannel: boolean;
  /** The old `X-ImpTokenHeader` is taken as well (A10). */
  readonly legacyTokenHeader: boolean;
  /** HTTP status of `getToken` without key or secret (A7). */
  readonly missingCredentialsStatus: 200 | 400;
  /** `error`: every decline answers code -1 and a message, as decline_as_error always does (P3). */
  readonly declineShape: 'record' | 'error';
  /** A decline that answers code -1 leaves a `failed` record all the same. */
  readonly errorLeavesRecord: boolean;
  /** `code` of `again` for a customer_uid without a key (P4). */
  readonly unknownBuyerCode: 1 | -1;
  /** HTTP status of reading or deleting a key that is not there (K5, K7). */
  readonly unknownCustomerStatus: 200 | 404;
  /** Which earlier use of a merchant_uid refuses a new charge (P5 to P8). */
  readonly duplicateUid: 'refuse-paid-or-cancelled' | 'refuse-any-used' | 'accept';
  /** A charge refused for its merchant_uid leaves a `failed` record all the same. */
  readonly duplicateLeavesRecord: boolean;
  /**
   * Charges of one merchant_uid at the same time (P9). `serialise`: the duplicate rule is asked again at the moment of
   * capture, late captures and flips included. `both`: it is asked on arrival only, so that both are captured.
   */
  readonly concurrency: 'serialise' | 'both';
  /** `again` without `name` is answered with 400 (P10). */
  readonly nameRequired: boolean;
  /** Issuing a key without `channel_key` is answered with 400. */
  readonly channelKeyRequired: boolean;
  /** JSON amounts written as text, "1000" (P11). Form bodies always carry text. */
  readonly textAmounts: 'accept' | 'reject';
  /** The channel of keys that name no `pg`: e.g. `smartro_v2` refuses ids with a `-` (P22). */
  readonly pgProvider: string;
  /** MID of that channel. */
  readonly pgId: string;
  /** KRW amounts below it are declined as the payment company does; 0 always is. */
  readonly minimumKrw: number;
  /** The payment company reverses at 23:30 KST, PortOne still says `paid` and cannot cancel any more (R18). */
  readonly dailyAutoCancel: boolean;
  /** How long late captures, flips and pending payments take, in ms of the sandbox's clock. */
  readonly settleAfterMs: number;
  /** How long the payment company thinks before each charge, in ms of the sandbox's clock (P9, P15). */
  readonly chargeLatencyMs: number;
  /** At which hour of the day in Korea, 1 to 23, Recovery charges declined payments again by itself; 0 never (S17). */
  readonly recoveryHour: number;
  /** Where webhooks go of payments that name no `notice_url`; empty: nowhere. */
  readonly webhookUrl: string;
  /** How webhooks are written (W4). */
  readonly webhookType: 'json' | 'form';
  /** How often a webhook without an answer, or answered 5xx, is sent again, a minute apart: 0 to 5 (W3). */
  readonly webhookRetries: number;
};

/** The defaults of fact sheet §12. */
export const DEFAULT_MODES: SandboxModes = {
  liveChannel: false,
  legacyTokenHeader: true,
  missingCredentialsStatus: 400,
  declineShape: 'record',
  errorLeavesRecord: true,
  unknownBuyerCode: 1,
  unknownCustomerStatus: 200,
  duplicateUid: 'refuse-paid-or-cancelled',
  duplicateLeavesRecord: false,
  concurrency: 'serialise',
  nameRequired: false,
  channelKeyRequired: false,
  textAmounts: 'accept',
  pgProvider: 'nice',
  pgId: 'iamport01m',
  minimumKrw: 1,
  dailyAutoCancel: false,
  settleAfterMs: 3_000,
  chargeLatencyMs: 0,
  recoveryHour: 0,
  webhookUrl: '',
  webhookType: 'json',
  webhookRetries: 5,
};

/**
 * Reads switches as people write them, `name=value` each; the last one of a name counts. Throws InputError naming what
 * is allowed for an unknown name or value.
 */
export function parseModes(texts: readonly string[]): Partial<SandboxModes> {
  return Object.assign({}, ...texts.map(parseMode));
}

function parseMode(text: string): Partial<SandboxModes> {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=');
  const known = Object.entries(DEFAULT_MODES).find(([mode]) => mode === name);
  if (known === undefined) {
    throw new InputError(
      `'${name}' is not a mode of the sandbox`,
      `use one of ${Object.keys(DEFAULT_MODES).join(', ')}`,
    );
  }
  const choices = CHOICES.get(name) ?? (typeof known[1] === 'boolean' ? [true, false] : null);
  const parsed = choices === null ? freeValue(name, value, known[1]) : choices.find((each) => String(each) === value);
  if (parsed !== undefined) return { [name]: parsed };
  const allowed = choices?.join(', ') ?? (typeof known[1] === 'number' ? rangeOf(name).join(' to ') : 'a name');
  throw new InputError(`mode ${name} cannot be '${value}'`, `use ${choices === null ? allowed : `one of ${allowed}`}`);
}

/** A whole number, or a name, where there is no list to choose from. */
function freeValue(name: string, text: string, like: unknown): number | string | undefined {
  if (typeof like !== 'number') return text === '' && like !== '' ? undefined : text;
  const [min, max] = rangeOf(name);
  return /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined;
}

function rangeOf(name: string): readonly [min: number, max: number] {
  return [0, name === 'recoveryHour' ? 23 : 366 * 86_400_000];
}

type Choice = string | number | boolean;

const CHOICES: ReadonlyMap<string, readonly Choice[]> = new Map<keyof SandboxModes, readonly Choice[]>([
  ['missingCredentialsStatus', [200, 400]],
  ['declineShape', ['record', 'error']],
  ['unknownBuyerCode', [1, -1]],
  ['unknownCustomerStatus', [200, 404]],
  ['duplicateUid', ['refuse-paid-or-cancelled', 'refuse-any-used', 'accept']],
  ['concurrency', ['serialise', 'both']],
  ['textAmounts', ['accept', 'reject']],
  ['webhookType', ['json', 'form']],
  ['webhookRetries', [0, 1, 2, 3, 4, 5]],
]);
