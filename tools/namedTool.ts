import { readCommandLine, UsageError, type OptionTypes } from './commandLine';
import { PartMissing } from './stack/parts';

type ValuesOf<O extends OptionTypes> = ReturnType<typeof readCommandLine<O>>['values'];

/** @returns the first word, which has to be one of `names`, and the options; or 'help'. @throws UsageError with one line */
export function parseNamed<const O extends OptionTypes>(
  argv: readonly string[],
  { what, names, options }: { readonly what: string; readonly names: readonly string[]; readonly options: O },
): { name: string; values: ValuesOf<O> } | 'help' {
  const withHelp: OptionTypes = { ...options, help: { type: 'boolean', short: 'h' } };
  const { values, positionals } = readCommandLine(argv, withHelp, { words: true });
  if (values['help'] === true) return 'help';
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !names.includes(name))
    throw new UsageError(`which ${what}? One of: ${names.join(', ')}`);
  return { name, values: values as ValuesOf<O> };
}

/**
 * Runs a tool of several names; what it fails with goes to stderr: in one line where the command line is wrong or a part
 * is missing.
 * @param run is given what `parse` returned
 * @returns the exit code: that of `run`; 1 it failed; 2 wrong arguments
 */
export async function runNamed<P>(
  argv: readonly string[],
  {
    help,
    parse,
    run,
  }: {
    readonly help: string;
    readonly parse: (argv: readonly string[]) => P | 'help';
    readonly run: (parsed: P) => Promise<number>;
  },
): Promise<number> {
  try {
    const parsed = parse(argv);
    if (parsed !== 'help') return await run(parsed);
    process.stdout.write(`${help}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      return UsageError.exitCode;
    }
    const text = error instanceof Error && !(error instanceof PartMissing) ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    return 1;
  }
}
