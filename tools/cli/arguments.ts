import { parseArgs } from 'node:util';
import { firstSentence, UsageError } from '../stack/options';

/**
 * `--name value` options, all of them texts.
 * @throws UsageError for anything else
 */
export function textOptions<N extends string>(
  argv: readonly string[],
  names: readonly N[],
): Partial<Record<N, string>> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    return parseArgs({ args: [...argv], strict: true, options }).values as Partial<Record<N, string>>;
  } catch (error) {
    throw new UsageError(firstSentence((error as Error).message));
  }
}
