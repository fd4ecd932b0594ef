import { parseArgs } from 'node:util';
import { InputError } from '../../../src/billing/errors.ts';

/** The classes of faults, in the order in which they run alone before they all run together. */
const CLASSES = [
  'kill',
  'pause',
  'failpoint',
  'queue',
  'postgres',
  'wire',
  'gateway',
  'job',
  'people',
  'merchant',
] as const;
export type ClassName = (typeof CLASSES)[number];
/** All but the merchant's own server, which has hooks asked before each charge: thrice the work for the same charges. */
const WITHOUT_HOOKS = CLASSES.filter((name) => name !== 'merchant');

const DUPLICATES = ['refuse-paid', 'refuse-any', 'accept'] as const;
const BACKENDS = ['redis', 'postgres'] as const;

/** What a run was asked for; kept with it, so that a run that was cut off goes on as it began. */
export type Plan = {
  readonly charges: number;
  readonly seed: number;
  readonly backend: (typeof BACKENDS)[number];
  /** What the gateway does with a used `merchant_uid`. */
  readonly duplicates: (typeof DUPLICATES)[number];
  /** How late a capture may land, in horizons. */
  readonly late: number;
  readonly classes: readonly ClassName[];
};

export type Options = {
  readonly plans: readonly Plan[];
  /** The directory of a run that was cut off; its own plan goes on. */
  readonly resume: string | null;
  /** A Markdown file with a table of runs. */
  readonly report: string | null;
  /** Whether what a run leaves is kept even though nothing is wrong with it. */
  readonly keep: boolean;
};

/** Reads the command line. Throws InputError naming what is allowed. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const duplicates = oneOf('duplicates', values.duplicates, DUPLICATES);
  const plan = {
    charges: wholeNumber('charges', values.charges, 10, 1_000_000),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
    duplicates,
    late: readLate(values.late ?? (duplicates === 'accept' ? '0.2' : '0.5')),
    classes: values.classes.split(',').map((name) => oneOf('classes', name, CLASSES)),
  };
  const backends = values.backend.split(',').map((name) => oneOf('backend', name, BACKENDS));
  return {
    plans: backends.map((backend) => ({ ...plan, backend })),
    resume: values.resume ?? null,
    report: values.report ?? null,
    keep: values.keep,
  };
}

/** Whether every class of faults strikes that needs no hooks. */
export function isWhole({ classes }: Plan): boolean {
  return WITHOUT_HOOKS.every((name) => classes.includes(name));
}

/** Whether the processes have hooks and an endpoint, at a server of the merchant's that fails now and then. */
export function asksHooks({ classes }: Plan): boolean {
  return classes.includes('merchant');
}

/** The command that runs the same again. */
export function commandFor(plan: Plan): string {
  const { charges, seed, backend, duplicates, late, classes } = plan;
  const some = isWhole(plan) && !asksHooks(plan) ? '' : ` --classes ${classes.join(',')}`;
  const rest = `--backend ${backend} --duplicates ${duplicates} --late ${late}${some}`;
  return `npm run test:faults -- --charges ${charges} --seed ${seed} ${rest}`;
}

/** Captures later than the horizon at a gateway that refuses nothing: doubles are then found and refunded, not prevented. */
export function mayDouble({ duplicates, late }: Plan): boolean {
  return duplicates === 'accept' && late > 1;
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InputError(`--${name} is '${text}'`, `write a whole number from ${min} to ${max}`);
}

function readLate(text: string): number {
  const value = Number(text);
  if (value >= 0 && value <= 10) return value;
  throw new InputError(`--late is '${text}'`, 'write how many horizons late a capture may be, from 0 to 10');
}

function oneOf<const Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === text);
  if (name !== undefined) return name;
  throw new InputError(`--${option} is '${text}'`, `use ${names.join(', ')}`);
}

const OPTIONS = {
  charges: { type: 'string', default: '300' },
  seed: { type: 'string', default: '1' },
  backend: { type: 'string', default: 'redis' },
  duplicates: { type: 'string', default: 'refuse-paid' },
  late: { type: 'string' },
  classes: { type: 'string', default: WITHOUT_HOOKS.join(',') },
  resume: { type: 'string' },
  report: { type: 'string' },
  keep: { type: 'boolean', default: false },
} as const;
