import { loadConfig } from '../../platform/config';
import { createKafka } from '../../platform/kafka';
import { createPool } from '../../platform/postgres';
import { UsageError } from '../commandLine';
import { exportFacts, exportPositions, type Exported } from '../lake/exportHour';
import { dataDirOf, databaseOf } from './addresses';
import { textOptions, timeOption } from './arguments';
import { kafkaOf } from './kafka';

const HOUR_MS = 3_600_000;

/**
 * `npx hailway export`: an hour's facts and positions as Parquet files, for a lake or a warehouse.
 * @returns 0; 1 where it could not: no file of that name is new then
 */
export async function exportHour(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = textOptions(argv, ['hour', 'to', 'data-dir']);
  if (options.hour === undefined || options.to === undefined)
    throw new UsageError('export takes --hour TIME and --to DIR');
  const hourMs = Date.parse(timeOption('hour', options.hour));
  if (hourMs % HOUR_MS !== 0 || hourMs + HOUR_MS > Date.now())
    throw new UsageError(`--hour takes the beginning of an hour that is over, not ${options.hour}`);
  const dataDir = dataDirOf(options, env);
  const { KAFKA_TOPIC_PREFIX: prefix } = loadConfig(env, ['KAFKA_TOPIC_PREFIX']);
  const audit = createPool(await databaseOf(env, dataDir, 'audit'), {
    ...{ applicationName: 'export', max: 1, statementTimeoutMs: 0 },
  });
  try {
    tell(await exportFacts(audit, options.to, hourMs));
    const kafka = createKafka({ ...(await kafkaOf(env, dataDir)), clientId: 'export' });
    tell(await exportPositions({ kafka, topic: `${prefix}driver-positions` }, options.to, hourMs));
    return 0;
  } catch (error) {
    process.stderr.write(`hailway: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await audit.end();
  }
}

const tell = ({ file, rows }: Exported): void => void process.stdout.write(`${rows} rows in ${file}\n`);
