import { createInterface } from 'node:readline/promises';
import { readCommandLine, UsageError } from '../commandLine';
import { planEvolution } from '../facts/evolve';
import { planNew } from '../facts/newFact';
import { describePlan, formatted, write, type FactPlan } from '../facts/plan';
import { walkEvolution, walkNew, type Ask, type Tell } from '../facts/walk';
import { projectRoot } from '../stack/places';

/** How the command hears and says. */
export interface FactPlace {
  /** The repository whose contracts/ is written. */
  readonly root: string;
  /** Asks whoever sits there; null where nobody does. */
  readonly ask: Ask | null;
  readonly tell: Tell;
}

/** `npx hailway fact new|evolve` on a terminal, or with everything said on the command line. @returns 0 */
export async function fact(argv: readonly string[]): Promise<number> {
  const terminal = process.stdin.isTTY ? askOn(process.stdin, process.stdout) : null;
  try {
    return await runFact(argv, {
      root: projectRoot(),
      ask: terminal && terminal.ask,
      tell: (line) => void process.stdout.write(`${line}\n`),
    });
  } finally {
    terminal?.close();
  }
}

/** Questions to whoever writes the lines of `input`; lines that come before their question are kept for it. */
export function askOn(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): { readonly ask: Ask; readonly close: () => void } {
  const terminal = createInterface({ input, output });
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    output.write(question);
    const line = await lines.next();
    if (line.done) throw new UsageError('nobody answers any more: nothing is written');
    return line.value.trim();
  };
  return { ask, close: () => terminal.close() };
}

const text = { type: 'string', default: '' } as const;
const many = { type: 'string', multiple: true, default: [] as string[] } as const;
const options = {
  ...{ says: text, field: many, add: many, remove: many, change: many, changed: text },
  'dry-run': { type: 'boolean', default: false },
} as const;

/**
 * Introduces or changes a fact in a repository; with `--dry-run` it only says how.
 * @returns 0; 1 where whoever was asked does not want it
 * @throws UsageError for what cannot be
 */
export async function runFact(argv: readonly string[], place: FactPlace): Promise<number> {
  const { values, positionals } = readCommandLine(argv, options, { words: true });
  const [how, type = '', ...more] = positionals;
  if (more.length > 0) throw new UsageError('one fact at a time');
  const plan = formatted(await planOf(how, type, values, place));
  for (const line of describePlan(plan, place.root)) place.tell(line);
  if (values['dry-run']) return 0;
  const agreed = place.ask === null || /^y(es)?$/i.test(await place.ask('Write it (yes or no)? '));
  if (agreed) write(plan);
  return agreed ? 0 : 1;
}

interface Said {
  readonly says: string;
  readonly field: string[];
  readonly add: string[];
  readonly remove: string[];
  readonly change: string[];
  readonly changed: string;
}

async function planOf(
  how: string | undefined,
  type: string,
  said: Said,
  place: FactPlace,
): Promise<FactPlan> {
  const { root, ask, tell } = place;
  switch (how) {
    case 'new': {
      const asked = { type, says: said.says, fields: said.field };
      return await planNew(root, ask === null ? asked : await walkNew(root, asked, ask, tell));
    }
    case 'evolve': {
      const { add, remove, change, changed } = said;
      const asked = { type, add, remove, change, changed };
      return await planEvolution(root, ask === null ? asked : await walkEvolution(root, asked, ask, tell));
    }
    default:
      throw new UsageError('fact takes new or evolve, and the fact: npx hailway help');
  }
}
