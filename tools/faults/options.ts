import { parseArgs } from 'node:util';
import { firstSentence, UsageError } from '../stack/options';

/** What every sweep of faults can be told. */
export interface FaultOptions {
  readonly seed: number;
  /** How many times the whole is done, each time with the next seed. */
  readonly repeats: number;
}

export const faultsHelp = (names: readonly string[]): string => `npm run faults -- NAME [options]

  NAME             ${names.join(', ')}
  --repeats N      how many times the whole is done, each time with the next seed (3)
  --seed N         of the first time; any number unless told, and said on screen
  --help           this text`;

/** @returns the sweep's name and options, or 'help'. @throws UsageError with one line */
export function parseFaultOptions(
  argv: readonly string[],
  names: readonly string[],
): { name: string; options: FaultOptions } | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !names.includes(name))
    throw new UsageError(`which faults? One of: ${names.join(', ')}`);
  return {
    name,
    options: {
      seed: wholeNumber('seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)), 0),
      repeats: wholeNumber('repeats', values.repeats ?? '3', 1),
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: true,
      options: {
        repeats: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${firstSentence((error as Error).message)}; --help lists what there is`);
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > 1_000_000)
    throw new UsageError(
      `--${name} takes a whole number from ${least} to 1000000, not ${JSON.stringify(text)}`,
    );
  return value;
}
