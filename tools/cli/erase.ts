import { erasureView, type ErasureView } from '../../contracts/api/erasure';
import { subjectId } from '../../contracts/shared';
import { readCommandLine, UsageError } from '../commandLine';
import { ApiRefused, asOperator, postToApi, type OperatorSources } from './operatorApi';

/** The gateway changes all that a person has: rides of years may take longer than a look does. */
const DEADLINE_MS = 120_000;

/**
 * `npx hailway erase SUBJECT`: deletes a person's key and has what is kept of them in plain blotted out.
 * @returns 0; 1 where something of theirs is under way, or nobody can say
 */
export async function erase(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values, positionals } = readCommandLine(
    argv,
    { 'dry-run': { type: 'boolean' }, 'data-dir': { type: 'string' }, token: { type: 'string' } },
    { words: true, advice: '' },
  );
  const [subject, ...more] = positionals;
  if (!subjectId.safeParse(subject).success || more.length > 0)
    throw new UsageError('erase takes the id of one person: letters, digits, _ and -, at most 64');
  const { 'dry-run': dryRun = false, ...options } = values;
  return asOperator(options, env, async (sources) => {
    const { lines, done } = await askErasure(sources, subject!, dryRun);
    process.stdout.write(`${lines.join('\n')}\n`);
    return done ? 0 : 1;
  });
}

/** Asks for an erasure, or what would be in its way, and says what came of it. @throws ApiRefused for another reason */
export async function askErasure(
  sources: Pick<OperatorSources, 'apiUrl' | 'token'>,
  subject: string,
  dryRun: boolean,
): Promise<{ lines: string[]; done: boolean }> {
  const path = `/v1/ops/subjects/${subject}/erase`;
  try {
    return told(await postToApi(sources, path, { dryRun }, erasureView, DEADLINE_MS));
  } catch (error) {
    const refused = error instanceof ApiRefused ? error.problem : undefined;
    if (refused?.code !== 'erasure_not_possible') throw error;
    const { blockers } = erasureView.pick({ blockers: true }).parse({ blockers: refused['blockers'] });
    return { lines: [`${subject} was not erased: ${refused.title}.`, ...inTheWay(blockers)], done: false };
  }
}

function told({ subjectId: subject, erasedAt, rides, blockers }: ErasureView): {
  lines: string[];
  done: boolean;
} {
  if (erasedAt !== null)
    return {
      lines: [`${subject} is erased since ${erasedAt}: ${rides} rides were gone through.`],
      done: true,
    };
  if (blockers.length > 0)
    return { lines: [`${subject} cannot be erased yet:`, ...inTheWay(blockers)], done: false };
  return { lines: [`${subject} can be erased: ${rides} rides, nothing under way.`], done: true };
}

const inTheWay = (blockers: ErasureView['blockers']): string[] =>
  blockers.map(({ kind, id }) => `  ${kind} ${id}`);
