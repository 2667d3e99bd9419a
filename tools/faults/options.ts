import { UsageError, wholeNumber } from '../commandLine';
import { parseNamed } from '../namedTool';

/** What every sweep of faults can be told. */
export interface FaultOptions {
  readonly seed: number;
  /** How many times the whole is done, each time with the next seed. */
  readonly repeats: number;
  /** How many stories are played, each with the next seed. */
  readonly count: number;
}

export const faultsHelp = (names: readonly string[]): string => `npm run faults -- NAME [options]

  NAME             ${names.join(', ')}
  --repeats N      how many times the whole is done, each time with the next seed (3)
  --count N        of stories: how many are played, each with the next seed (200)
  --seed N         of the first time; any number unless told, and said on screen
  --help           this text`;

const options = { repeats: { type: 'string' }, seed: { type: 'string' }, count: { type: 'string' } } as const;

/** @returns the sweep's name and options, or 'help'. @throws UsageError with one line */
export function parseFaultOptions(
  argv: readonly string[],
  names: readonly string[],
): { name: string; options: FaultOptions } | 'help' {
  const parsed = parseNamed(argv, { what: 'faults', names, options });
  if (parsed === 'help') return parsed;
  const { seed, repeats, count } = parsed.values;
  if (count !== undefined && parsed.name !== 'stories')
    throw new UsageError('--count is for faults stories alone');
  return {
    name: parsed.name,
    options: {
      seed: wholeNumber('seed', seed ?? String(Math.floor(Math.random() * 1_000_000)), { least: 0 }),
      repeats: wholeNumber('repeats', repeats ?? '3'),
      count: wholeNumber('count', count ?? '200'),
    },
  };
}
