import { loadConfig, processPorts, type ProcessName } from '../../platform/config';
import { examineParts } from '../stack/parts';
import { dataDirOf } from './addresses';
import { kafkaOf, kafkaPreparation } from './kafka';
import { kafkaDrift } from '../stack/topics';
import { lookAtKafka } from '../stack/parts/kafka';
import type { Look } from '../stack/parts/part';
import { lookAtPostgres } from '../stack/parts/postgres';
import { lookAtTemporal } from '../stack/parts/temporal';
import { portsFrom, portVariables, isFree, type PortName, type Ports } from '../stack/ports';
import { silent } from '../stack/say';
import { postgresUrl } from '../stack/servers/postgres';
import { stackHolder } from '../stack/lock';
import { textOptions } from './arguments';

const ok = 'ok  ';
const off = '-   ';
const bad = 'BAD ';

/**
 * Looks at everything that Hailway needs and prints a line or more on each.
 * @returns 1 when a part is missing, a server that was named does not answer, or a running stack is not whole
 */
export async function doctor(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = textOptions(argv, ['data-dir']);
  const dataDir = dataDirOf(options, env);
  loadConfig(env);
  const ports = portsFrom(env);
  const holder = stackHolder(dataDir);
  let healthy = true;
  const line = (mark: string, words: string): void => {
    if (mark === bad) healthy = false;
    process.stdout.write(`${mark} ${words.replaceAll('\n', '\n     ')}\n`);
  };

  process.stdout.write('Parts\n');
  line(ok, `Node ${process.version}`);
  for (const { part, there, words } of await examineParts({ env, say: silent })) {
    line(there ? ok : bad, there ? `${part}: ${words}` : words);
  }

  process.stdout.write(`Stack on ${dataDir}\n`);
  if (holder === undefined) {
    line(off, 'not running: npm start starts it');
    for (const words of await takenPorts(ports, env)) line(bad, words);
  } else {
    line(ok, `running (process ${holder})`);
    await examineServers(ports, env, dataDir, line);
    await examineTopics(env, dataDir, line);
    await Promise.all(
      (Object.keys(processPorts) as ProcessName[]).map((name) =>
        examineProcess(name, ports[name], dataDir, line),
      ),
    );
  }
  process.stdout.write(healthy ? 'All is well.\n' : 'Something is missing: see BAD above.\n');
  return healthy ? 0 : 1;
}

type Line = (mark: string, words: string) => void;

async function examineServers(
  ports: Ports,
  env: NodeJS.ProcessEnv,
  dataDir: string,
  line: Line,
): Promise<void> {
  const looks: readonly [string, boolean, Promise<Look<unknown>>][] = [
    ['Postgres', !env.POSTGRES_URL, lookAtPostgres(env.POSTGRES_URL || postgresUrl(ports.postgres))],
    ['Kafka', !env.KAFKA_BROKERS, kafkaOf(env, dataDir).then(lookAtKafka)],
    [
      'Temporal',
      !env.TEMPORAL_ADDRESS,
      lookAtTemporal(env.TEMPORAL_ADDRESS || `127.0.0.1:${ports.temporal}`),
    ],
  ];
  for (const [name, ours, looking] of looks) {
    const look = await looking;
    if ('found' in look) line(ok, `${name} answers: ${look.from}`);
    else line(bad, `${name}: ${look.reason}${ours ? '; the stack starts it again, its log says why' : ''}`);
  }
}

/** What `npx hailway topics` would say, in a line if it is well. */
async function examineTopics(env: NodeJS.ProcessEnv, dataDir: string, line: Line): Promise<void> {
  try {
    const { toDo, refusals } = await kafkaDrift(await kafkaPreparation(env, dataDir));
    for (const words of refusals) line(bad, words);
    for (const words of toDo) line(bad, `${words}: npx hailway topics --apply does it`);
    if (toDo.length + refusals.length === 0) line(ok, 'topics are as declared');
  } catch (error) {
    line(bad, `topics cannot be looked at: ${(error as Error).message}`);
  }
}

async function examineProcess(name: ProcessName, port: number, dataDir: string, line: Line): Promise<void> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) });
    const body = await response.text();
    if (response.ok) return line(ok, `${name} is ready on port ${port}`);
    line(bad, `${name} on port ${port} is not ready: ${body.slice(0, 300)}`);
  } catch {
    line(bad, `${name} does not answer on port ${port}: see ${dataDir}/logs/${name}.log`);
  }
}

/** Ports that a start would find taken. */
async function takenPorts(ports: Ports, env: NodeJS.ProcessEnv): Promise<string[]> {
  const foreign = { postgres: env.POSTGRES_URL, kafka: env.KAFKA_BROKERS, temporal: env.TEMPORAL_ADDRESS };
  const words: string[] = [];
  for (const [name, port] of Object.entries(ports) as [PortName, number][]) {
    const server = name.replace(/-(controller|ui)$/, '');
    if (foreign[server as keyof typeof foreign]) continue;
    if (!(await isFree(port)))
      words.push(`port ${port} (${name}) is taken: set ${portVariables[name]} to a free one`);
  }
  return words;
}
