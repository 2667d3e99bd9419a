import { readCommandLine, type OptionTypes } from '../commandLine';

/**
 * `--name value` options, all of them texts.
 * @throws UsageError for anything else
 */
export const textOptions = <N extends string>(
  argv: readonly string[],
  names: readonly N[],
): Partial<Record<N, string>> => optionsOf<N, never>(argv, names, []);

/**
 * `--name value` options, and `--flag` ones that take no value.
 * @throws UsageError for anything else
 */
export function optionsOf<N extends string, F extends string>(
  argv: readonly string[],
  names: readonly N[],
  flags: readonly F[],
): Partial<Record<N, string> & Record<F, boolean>> {
  const options: OptionTypes = {};
  for (const name of names) options[name] = { type: 'string' };
  for (const flag of flags) options[flag] = { type: 'boolean' };
  return readCommandLine(argv, options, { advice: '' }).values as Partial<
    Record<N, string> & Record<F, boolean>
  >;
}
