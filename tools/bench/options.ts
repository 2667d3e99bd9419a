import { UsageError, wholeNumber } from '../commandLine';
import { parseNamed } from '../namedTool';

/** What every bench can be told. */
export interface BenchOptions {
  readonly json: boolean;
  readonly rounds: number;
  /** How much one round does: rides, payments, facts …; undefined for the bench's own measure. */
  readonly size: number | undefined;
  /** Of rides: how many are under way while it measures, one level after another; undefined for the bench's own. */
  readonly open: readonly number[] | undefined;
}

export const benchHelp = (names: readonly string[]): string => `npm run bench -- NAME [options]

  NAME             ${names.join(', ')}
  --json           the last line of stdout is the result as one JSON object, everything else goes to stderr
  --rounds N       rounds of each contestant (3)
  --size N         how much a round does, in the bench's own measure
  --open N,N,…     bench ride: how many rides are under way while it measures, one level after another
  --help           this text`;

const options = {
  json: { type: 'boolean' },
  rounds: { type: 'string' },
  size: { type: 'string' },
  open: { type: 'string' },
} as const;

/** @returns the bench's name and options, or 'help'. @throws UsageError with one line */
export function parseBenchOptions(
  argv: readonly string[],
  names: readonly string[],
): { name: string; options: BenchOptions } | 'help' {
  const parsed = parseNamed(argv, { what: 'bench', names, options });
  if (parsed === 'help') return parsed;
  const { json, rounds, size, open } = parsed.values;
  if (open !== undefined && parsed.name !== 'ride') throw new UsageError('--open is for bench ride alone');
  return {
    name: parsed.name,
    options: {
      json: json === true,
      rounds: wholeNumber('rounds', rounds ?? '3'),
      size: size === undefined ? undefined : wholeNumber('size', size),
      open: open?.split(',').map((text) => wholeNumber('open', text, { least: 0 })),
    },
  };
}
