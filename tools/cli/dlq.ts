import {
  deadLetterDeedsView,
  deadLettersView,
  wholeDeadLetterView,
  type DeadLetterDeedsView,
  type DeadLettersView,
  type WholeDeadLetterView,
} from '../../contracts/api/deadLetters';
import { readCommandLine, UsageError, wholeNumber } from '../commandLine';
import {
  asOperator,
  getFromApi,
  paragraph,
  postToApi,
  printLines,
  type OperatorSources,
} from './operatorApi';

const options = {
  consumer: { type: 'string' },
  topic: { type: 'string' },
  key: { type: 'string' },
  type: { type: 'string' },
  reason: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
  because: { type: 'string' },
  all: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  'data-dir': { type: 'string' },
  token: { type: 'string' },
} as const;

type Given = ReturnType<typeof readGiven>['values'];
type Api = Pick<OperatorSources, 'apiUrl' | 'token'>;

const readGiven = (argv: readonly string[]) => readCommandLine(argv, options, { words: true, advice: '' });

/**
 * `npx hailway dlq list|show|replay|discard`: facts that could not be taken further.
 * @returns 0; 1 where there are any (list), one is still dead (replay, discard), or nobody can say
 */
export async function dlq(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [what, ...rest] = argv;
  const { values, positionals: ids } = readGiven(rest);
  switch (what) {
    case 'list':
      noIds(ids, 'list');
      return asOperator(values, env, (sources) => list(sources, values));
    case 'show': {
      const [id] = ids;
      if (id === undefined || ids.length > 1)
        throw new UsageError('dlq show takes the id of one dead letter');
      return asOperator(values, env, (sources) => show(sources, id, values));
    }
    case 'replay':
    case 'discard': {
      if (what === 'discard' && values.because === undefined)
        throw new UsageError('dlq discard takes --because, the reason why these may be lost');
      const body = orderOf(values, ids);
      return asOperator(values, env, (sources) => deed(sources, what, body, values));
    }
    default:
      throw new UsageError('dlq takes one of list, show, replay, discard');
  }
}

async function list(sources: Api, values: Given): Promise<number> {
  const query = { ...filterOf(values), limit: String(limitOf(values)) };
  const found = await getFromApi(sources, '/v1/ops/dead-letters', query, deadLettersView);
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else await printLines(listLines(found), 'There are no dead letters.');
  return found.deadLetters.length === 0 && found.unavailable.length === 0 ? 0 : 1;
}

async function show(sources: Api, id: string, values: Given): Promise<number> {
  const path = `/v1/ops/dead-letters/${encodeURIComponent(id)}`;
  const letter = await getFromApi(sources, path, {}, wholeDeadLetterView);
  process.stdout.write(`${values.json ? JSON.stringify(letter) : wholeText(letter)}\n`);
  return 0;
}

/** Asks again for as long as it leads on: a request has a bounded time. */
async function deed(sources: Api, what: 'replay' | 'discard', body: object, values: Given): Promise<number> {
  const all: DeadLetterDeedsView['done'] = [];
  let answer: DeadLetterDeedsView;
  let goesOn: boolean;
  const failed = new Set<string>();
  do {
    answer = await postToApi(sources, `/v1/ops/dead-letters/${what}`, body, deadLetterDeedsView);
    for (const one of answer.done) {
      all.push(one);
      if (!values.json) process.stdout.write(`${deedLine(one)}\n`);
    }
    const fresh = answer.done.filter(({ id, outcome }) => outcome !== 'failed' || !failed.has(id));
    for (const { id, outcome } of answer.done) if (outcome === 'failed') failed.add(id);
    goesOn = !values['dry-run'] && fresh.length > 0 && (answer.left > 0 || hasMoreToDo(answer));
  } while (goesOn);
  const { left, unavailable } = answer;
  if (values.json) process.stdout.write(`${JSON.stringify({ done: all, left, unavailable })}\n`);
  else {
    for (const one of unavailable) process.stdout.write(`${absent(one)}\n`);
    if (all.length === 0 && unavailable.length === 0) process.stdout.write('No dead letter is meant.\n');
  }
  const isWell = left === 0 && unavailable.length === 0 && failed.size === 0;
  return isWell ? 0 : 1;
}

const hasMoreToDo = ({ done }: DeadLetterDeedsView): boolean =>
  done.some(({ outcome }) => outcome === 'under_way');

/** A paragraph for each, and who could not be asked. */
export function listLines({ deadLetters, more, unavailable }: DeadLettersView): string[] {
  return [
    ...deadLetters.map(({ id, factId, deadSince, reason, attempts, waiting, key }) =>
      paragraph(`${id} is dead since ${deadSince}: ${factId ?? `a record of ${key || 'no key'}`}`, [
        `reason: ${reason}`,
        `tried ${attempts === 1 ? 'once' : `${attempts} times`}; ${waiting} of its key wait behind it`,
      ]),
    ),
    ...(more ? ['There are more: name a filter, or a larger --limit.'] : []),
    ...unavailable.map(absent),
  ];
}

const absent = ({ consumer, reason }: { consumer: string; reason: string }): string =>
  `${consumer} could not be asked: ${reason}`;

function wholeText({ headers, value, stack, behind, ...letter }: WholeDeadLetterView): string {
  const lines = Object.entries(letter).map(([name, word]) => `${name}: ${word}`);
  const all = Object.entries(headers).map(([name, values]) => `  ${name}: ${values.join(', ')}`);
  const waiting = behind.map(({ factId, offset }) => `  ${factId ?? 'a record'}, offset ${offset}`);
  return [...lines, 'headers:', ...all, `value: ${value}`, `stack: ${stack}`, 'behind it:', ...waiting].join(
    '\n',
  );
}

function deedLine({ id, outcome, applied, reason }: DeadLetterDeedsView['done'][number]): string {
  const words = {
    replayed: 'replayed',
    discarded: 'discarded',
    failed: 'failed again',
    under_way: 'goes on',
    would_be: 'would be',
  } as const;
  const why = reason === null ? '' : `: ${reason}`;
  return `${id} ${words[outcome]}, ${applied} of its key applied${why}`;
}

const noIds = (ids: readonly string[], command: string): void => {
  if (ids.length > 0) throw new UsageError(`dlq ${command} takes no ids, but filters`);
};

const limitOf = ({ limit }: Given): number =>
  limit === undefined ? 100 : wholeNumber('limit', limit, { most: 1_000 });

function filterOf({ consumer, topic, key, type, reason, since }: Given) {
  if (since !== undefined && Number.isNaN(Date.parse(since)))
    throw new UsageError(`--since takes a time (2026-11-21T14:00:00Z), not ${JSON.stringify(since)}`);
  return {
    ...{ consumer, topic, key, type, reason },
    since: since === undefined ? undefined : new Date(since).toISOString(),
  };
}

/** Nothing is meant by nobody: all of them takes a word of its own. */
function orderOf(values: Given, ids: readonly string[]): object {
  const filter = filterOf(values);
  const isNamed = ids.length > 0 || Object.values(filter).some((word) => word !== undefined);
  if (isNamed === (values.all === true))
    throw new UsageError('dlq replay and discard take ids, or filters, or --all');
  return {
    ...filter,
    ...(ids.length > 0 ? { ids } : {}),
    limit: limitOf(values),
    dryRun: values['dry-run'] ?? false,
    ...(values.because === undefined ? {} : { because: values.because }),
  };
}
