import {
  deadLetterDeedsView,
  deadLettersView,
  wholeDeadLetterView,
  type DeadLetterDeedsView,
  type DeadLettersView,
  type WholeDeadLetterView,
} from '../../contracts/api/deadLetters';
import { readCommandLine, UsageError, wholeNumber, type OptionTypes } from '../commandLine';
import { timeOption } from './arguments';
import {
  asOperator,
  getFromApi,
  paragraph,
  postToApi,
  printLines,
  type OperatorSources,
} from './operatorApi';

const filters = {
  consumer: { type: 'string' },
  topic: { type: 'string' },
  key: { type: 'string' },
  type: { type: 'string' },
  reason: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
} as const;
const common = {
  json: { type: 'boolean' },
  'data-dir': { type: 'string' },
  token: { type: 'string' },
} as const;
const which = { ...filters, all: { type: 'boolean' }, 'dry-run': { type: 'boolean' } } as const;
/** What each takes. */
const options = {
  list: { ...filters, ...common },
  show: common,
  replay: { ...which, ...common },
  discard: { ...which, because: { type: 'string' }, ...common },
} as const;

type Given = Partial<Record<Exclude<keyof typeof options.discard, 'all' | 'dry-run' | 'json'>, string>> &
  Partial<Record<'all' | 'dry-run' | 'json', boolean>>;
type Api = Pick<OperatorSources, 'apiUrl' | 'token'>;

/**
 * `npx hailway dlq list|show|replay|discard`: facts that could not be taken further.
 * @returns 0; 1 where there are any (list), one is still dead (replay, discard), or nobody can say
 */
export async function dlq(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [what, ...rest] = argv;
  if (what === undefined || !Object.hasOwn(options, what))
    throw new UsageError(`dlq takes one of ${Object.keys(options).join(', ')}`);
  const command = what as keyof typeof options;
  const { values, ids } = readGiven(command, rest);
  switch (command) {
    case 'list':
      if (ids.length > 0) throw new UsageError('dlq list takes no ids, but filters');
      return asOperator(values, env, (sources) => list(sources, values));
    case 'show': {
      const [id] = ids;
      if (id === undefined || ids.length > 1)
        throw new UsageError('dlq show takes the id of one dead letter');
      return asOperator(values, env, (sources) => show(sources, id, values));
    }
    case 'replay':
    case 'discard': {
      if (command === 'discard' && values.because === undefined)
        throw new UsageError('dlq discard takes --because, the reason why these may be lost');
      const body = orderOf(values, ids);
      return asOperator(values, env, (sources) => deed(sources, command, body, values));
    }
  }
}

function readGiven(command: keyof typeof options, argv: readonly string[]): { values: Given; ids: string[] } {
  const advice = `: npx hailway help says what dlq ${command} takes`;
  const { values, positionals } = readCommandLine<OptionTypes>(argv, options[command], {
    words: true,
    advice,
  });
  return { values, ids: positionals };
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
function listLines({ deadLetters, more, unavailable }: DeadLettersView): string[] {
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

const limitOf = ({ limit }: Given): number =>
  limit === undefined ? 100 : wholeNumber('limit', limit, { most: 1_000 });

function filterOf({ consumer, topic, key, type, reason, since }: Given) {
  return {
    ...{ consumer, topic, key, type, reason },
    since: since === undefined ? undefined : timeOption('since', since),
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
    ...(values.all ? { all: true } : {}),
    limit: limitOf(values),
    dryRun: values['dry-run'] ?? false,
    ...(values.because === undefined ? {} : { because: values.because }),
  };
}
