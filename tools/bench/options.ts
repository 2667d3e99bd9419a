import { parseArgs } from 'node:util';
import { firstSentence, UsageError } from '../stack/options';

/** What every bench can be told. */
export interface BenchOptions {
  readonly json: boolean;
  readonly rounds: number;
  /** How much one round does: rides, payments, facts …; undefined for the bench's own measure. */
  readonly size: number | undefined;
  /** How many aggregates are open while it measures, one level after another; undefined for the bench's own. */
  readonly open: readonly number[] | undefined;
}

export const benchHelp = (names: readonly string[]): string => `npm run bench -- NAME [options]

  NAME             ${names.join(', ')}
  --json           the last line of stdout is the result as one JSON object, everything else goes to stderr
  --rounds N       rounds of each contestant (3)
  --size N         how much a round does, in the bench's own measure
  --open N,N,…     bench ride: how many rides are under way while it measures, one level after another
  --help           this text`;

/** @returns the bench's name and options, or 'help'. @throws UsageError with one line */
export function parseBenchOptions(
  argv: readonly string[],
  names: readonly string[],
): { name: string; options: BenchOptions } | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !names.includes(name))
    throw new UsageError(`which bench? One of: ${names.join(', ')}`);
  return {
    name,
    options: {
      json: values.json === true,
      rounds: wholeNumber('rounds', values.rounds ?? '3', 1),
      size: values.size === undefined ? undefined : wholeNumber('size', values.size, 1),
      open: values.open?.split(',').map((text) => wholeNumber('open', text, 0)),
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
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        size: { type: 'string' },
        open: { type: 'string' },
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
