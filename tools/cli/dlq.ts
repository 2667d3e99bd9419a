import {
  deadLettersView,
  wholeDeadLetterView,
  type DeadLettersView,
  type WholeDeadLetterView,
} from '../../contracts/api/deadLetters';
import { readCommandLine, UsageError, wholeNumber, type OptionTypes } from '../commandLine';
import { timeOption } from './arguments';
import { doDeed, type Deed, type DeedOrder } from './deadLetterDeed';
import { asOperator, getFromApi, paragraph, printLines, type OperatorSources } from './operatorApi';

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
 * @returns 0; 1 where there are any (list), one is still dead, under way or unknown (replay, discard), there are more than
 *   the limit, or nobody can say
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
      const order = orderOf(command, values, ids);
      return asOperator(values, env, (sources) => deed(sources, order, values));
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

async function deed(sources: Api, order: DeedOrder, values: Given): Promise<number> {
  const { isWell, ...outcome } = await doDeed(sources, order, (one) => {
    if (!values.json) process.stdout.write(`${deedLine(one)}\n`);
  });
  if (values.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  else {
    const { done, more, unavailable, unknown } = outcome;
    for (const id of unknown) process.stdout.write(`${id} is no dead letter (any more)\n`);
    for (const one of unavailable) process.stdout.write(`${absent(one)}\n`);
    if (done.length + unavailable.length + unknown.length === 0)
      process.stdout.write('No dead letter is meant.\n');
    if (more) process.stdout.write('There are more: repeat it, or name a larger --limit.\n');
  }
  return isWell ? 0 : 1;
}

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

function deedLine({ id, outcome, applied, reason }: Deed): string {
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
function orderOf(what: DeedOrder['what'], values: Given, ids: readonly string[]): DeedOrder {
  const filter = filterOf(values);
  const isNamed = ids.length > 0 || Object.values(filter).some((word) => word !== undefined);
  if (isNamed === (values.all === true))
    throw new UsageError('dlq replay and discard take ids, or filters, or --all');
  if (ids.length > 0 && values.limit !== undefined)
    throw new UsageError('dlq replay and discard take --limit with filters or --all: ids say how many');
  const dryRun = values['dry-run'] ?? false;
  return { what, ids, filter, limit: limitOf(values), dryRun, because: values.because };
}
