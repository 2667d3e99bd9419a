import { readCommandLine, UsageError, type OptionTypes } from '../commandLine';

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

/** A point in time that begins with its day, as ISO 8601 in UTC. @throws UsageError for anything else */
export function timeOption(name: string, text: string): string {
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime()))
    throw new UsageError(`--${name} takes a time (2026-11-21T14:00:00Z), not ${JSON.stringify(text)}`);
  return time.toISOString();
}
