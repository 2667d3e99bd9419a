import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A command line that cannot be worked with: its one line is printed, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  static readonly exitCode = 2;
}

export type OptionTypes = NonNullable<ParseArgsConfig['options']>;

/**
 * `--name value` and `--flag` options, and words beside them where these are taken.
 * @param advice what is said behind what is wrong
 * @throws UsageError for anything else
 */
export function readCommandLine<const O extends OptionTypes>(
  argv: readonly string[],
  options: O,
  { words = false, advice = '; --help lists what there is' } = {},
) {
  try {
    return parseArgs({ args: [...argv], strict: true, allowPositionals: words, options });
  } catch (error) {
    throw new UsageError(`${firstSentence((error as Error).message)}${advice}`);
  }
}

/** Node's messages go on with advice on positional arguments, over more than one line. */
const firstSentence = (message: string): string => message.split(/\n|\. /)[0]?.replace(/\.$/, '') ?? message;

/** @throws UsageError for anything but a whole number from `least` to `most` */
export function wholeNumber(name: string, text: string, { least = 1, most = 1_000_000 } = {}): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(
      `--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
    );
  return value;
}
