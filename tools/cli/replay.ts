import { loadConfig } from '../../platform/config';
import { createKafka, type KafkaAddress } from '../../platform/kafka';
import { createPool, type Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { pino } from 'pino';
import { UsageError } from '../commandLine';
import { openFactLog } from '../replay/factLog';
import { replayPart } from '../replay/part';
import { projections } from '../replay/projections';
import { dropPrevious } from '../replay/switchOver';
import { replayWhole, type Replayed } from '../replay/whole';
import { dataDirOf, databaseOf } from './addresses';
import { optionsOf, timeOption } from './arguments';
import { kafkaOf } from './kafka';

const words = ['consumer', 'from', 'keys', 'data-dir'] as const;
type Options = ReturnType<typeof optionsOf<(typeof words)[number], 'check' | 'new' | 'drop-old'>>;

/**
 * `npx hailway replay`: makes a projection anew from all facts, or some of its rows, and puts it in the live one's place.
 * @returns 0; 1 where it could not, or where `--check` finds a difference: the live projection is as it was then
 */
export async function replay(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options: Options = optionsOf(argv, words, ['check', 'new', 'drop-old']);
  const name = consumerOf(options);
  const projection: Projection = projections[name];
  const selection = selectionOf(options, projection);
  if (selection && (options.check || options.new))
    throw new UsageError('--keys and --from make some rows anew: --check and --new are for all of them');
  const { KAFKA_TOPIC_PREFIX: prefix } = loadConfig(env, ['KAFKA_TOPIC_PREFIX']);
  const prefixed = (word: string): string => prefix + word;
  const dataDir = dataDirOf(options, env);
  const databaseUrl = await databaseOf(env, dataDir, name);
  if (options['drop-old']) {
    if (selection || options.check || options.new) throw new UsageError('--drop-old stands alone');
    await dropPrevious(databaseUrl);
    return 0;
  }
  const audit = createPool(await databaseOf(env, dataDir, 'audit'), {
    applicationName: 'replay',
    max: 2,
    statementTimeoutMs: 0,
  });
  const common = {
    ...{ projection, databaseUrl, group: prefixed(projection.name), audit, auditGroup: prefixed('audit') },
    topics: projection.topics.map(prefixed),
  };
  try {
    const done = selection
      ? await replayPart({ ...common, selection })
      : await whole(common, options, await kafkaOf(env, dataDir));
    return tell(projection, done);
  } catch (error) {
    process.stderr.write(`hailway: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await audit.end();
  }
}

async function whole(
  common: {
    projection: Projection;
    databaseUrl: string;
    group: string;
    audit: Pool;
    auditGroup: string;
    topics: readonly string[];
  },
  options: Options,
  address: KafkaAddress,
): Promise<Replayed> {
  const log = pino({ level: 'silent' });
  const facts = await openFactLog({ ...common, log, kafka: createKafka({ ...address, clientId: 'replay' }) });
  try {
    return await replayWhole({
      ...common,
      log: facts,
      isNew: options.new ?? false,
      checkOnly: options.check ?? false,
      say: (line) => void process.stdout.write(`${line}\n`),
    });
  } finally {
    await facts.close();
  }
}

function tell({ name }: Projection, { facts, ms, hashes }: Replayed): number {
  const rate = Math.round(facts / Math.max(0.001, ms / 1_000));
  process.stdout.write(`${name}: ${facts} facts in ${(ms / 1_000).toFixed(1)} s, ${rate} a second\n`);
  if (hashes === undefined) return 0;
  const isSame = hashes.live === hashes.rebuilt;
  process.stdout.write(
    `live ${hashes.live}\nrebuilt ${hashes.rebuilt}\n${isSame ? 'the same' : 'they differ'}\n`,
  );
  return isSame ? 0 : 1;
}

function consumerOf({ consumer }: Options): keyof typeof projections {
  const names = Object.keys(projections) as (keyof typeof projections)[];
  const name = names.find((known) => known === consumer);
  if (name === undefined)
    throw new UsageError(`--consumer takes one of ${names.join(', ')}, not ${consumer}`);
  const { notReplayed }: Projection = projections[name];
  if (notReplayed !== undefined) throw new UsageError(`${name} is not replayed: ${notReplayed}`);
  return name;
}

function selectionOf(
  { keys, from }: Options,
  projection: Projection,
): { keys: string[] | undefined; from: string | undefined } | null {
  if (keys === undefined && from === undefined) return null;
  if (projection.wholeOnly !== undefined)
    throw new UsageError(`${projection.name} is replayed as a whole: ${projection.wholeOnly}`);
  if (from !== undefined && projection.tables.every(({ time }) => time === undefined))
    throw new UsageError(
      `${projection.name} has no rows that come from one fact: --from makes none of them anew`,
    );
  const named = keys?.split(',').filter((key) => key !== '');
  if (named?.length === 0) throw new UsageError('--keys takes keys of facts, with commas between them');
  return { keys: named, from: from === undefined ? undefined : timeOption('from', from) };
}
