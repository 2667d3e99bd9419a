import { UsageError, wholeNumber } from '../commandLine';
import { parseNamed } from '../namedTool';

/** What sweeps of faults can be told. */
export interface FaultOptions {
  readonly seed: number;
  /** How many times the whole is done, each time with the next seed. */
  readonly repeats: number;
  /** How many stories are played, or points hit, each with the next seed. */
  readonly count: number;
}

/** What a sweep takes beside a seed, and how many it is unless told. */
export type Takes = Partial<Omit<FaultOptions, 'seed'>>;

export const faultsHelp = (
  sweeps: Readonly<Record<string, Takes>>,
): string => `npm run faults -- NAME [options]

  NAME             ${Object.keys(sweeps).join(', ')}
  --repeats N      how many times the whole is done, each time with the next seed (${listed(sweeps, 'repeats')})
  --count N        how many stories are played, or points of the backbone hit (${listed(sweeps, 'count')})
  --seed N         of the first time; any number unless told, and said on screen
  --help           this text`;

const listed = (sweeps: Readonly<Record<string, Takes>>, option: keyof Takes): string =>
  Object.entries(sweeps)
    .flatMap(([name, takes]) => (takes[option] === undefined ? [] : `${name}: ${takes[option]}`))
    .join(', ');

const options = { repeats: { type: 'string' }, seed: { type: 'string' }, count: { type: 'string' } } as const;

/** @returns the sweep's name and options, or 'help'. @throws UsageError with one line */
export function parseFaultOptions(
  argv: readonly string[],
  sweeps: Readonly<Record<string, Takes>>,
): { name: string; options: FaultOptions } | 'help' {
  const parsed = parseNamed(argv, { what: 'faults', names: Object.keys(sweeps), options });
  if (parsed === 'help') return parsed;
  const { name, values } = parsed;
  const takes = sweeps[name]!;
  const number = (option: keyof Takes): number => {
    const [told, unlessTold] = [values[option], takes[option]];
    if (unlessTold !== undefined) return wholeNumber(option, told ?? String(unlessTold));
    if (told !== undefined) throw new UsageError(`${name} takes no --${option}; --help lists what there is`);
    return 1;
  };
  const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
  return {
    name,
    options: {
      seed: wholeNumber('seed', seed, { least: 0 }),
      repeats: number('repeats'),
      count: number('count'),
    },
  };
}
