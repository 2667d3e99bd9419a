import { isSet, loadConfig, type ProcessName } from '../../platform/config';
import type { KafkaAddress } from '../../platform/kafka';
import { keepBundle } from './bundles';
import { databaseVariable, environmentFor, environmentOf } from './environment';
import { owners, prepareDatabases, type Owner } from './databases';
import { openIssuer, openSecrets, type Issuer } from './issuer';
import type { Kept } from './keep';
import { lockDataDir } from './lock';
import { prepareNamespace } from './namespace';
import { superviseOldVersions, type OldVersions } from './oldVersions';
import type { Parts } from './parts';
import { checkPorts, portNames, type PortName, type Ports } from './ports';
import type { Say } from './say';
import { leftOver, rememberedNames } from './servers/daemon';
import { startServers, stopLeftOverServers, type ServerName, type Servers } from './servers';
import { hasKafkaSecurity, kafkaLogins } from './servers/kafkaSecurity';
import { sendSignal } from './signals';
import { stopLeftOverProcesses, superviseProcesses, type Supervisor } from './supervisor';
import { prepareSchedules } from './schedules';
import { prepareKafka } from './topics';

export interface StackOptions {
  readonly parts: Parts;
  /** Absolute; where root starts it, Postgres's own user must be able to get there. */
  readonly dataDir: string;
  readonly ports: Ports;
  /** Durations of the policies are divided by it. */
  readonly speed: number;
  readonly say: Say;
  /** What the user has set; taken for processes and for addresses of databases. */
  readonly env: NodeJS.ProcessEnv;
  /** The path of the bundle that new rides start on; the build's own unless told otherwise. */
  readonly workflowBundle?: string;
  /** A start that is told to stop ends at its next step, with everything stopped. */
  readonly signal?: AbortSignal;
}

/** A whole Hailway that runs. */
export interface Stack {
  readonly apiUrl: string;
  readonly consoleUrl: string;
  readonly temporalUiUrl: string | undefined;
  readonly pspUrl: string;
  /** With the login of the stack itself, who may do everything. */
  readonly kafka: KafkaAddress;
  readonly topicPrefix: string;
  readonly temporalAddress: string;
  readonly databaseUrls: Readonly<Record<Owner, string>>;
  readonly dataDir: string;
  readonly issuer: Issuer;
  /** The version of the workflows that new rides start on. */
  readonly buildId: string;
  /** One of the processes, or the worker of an old version: pid, kill, hold down, release. */
  process(name: string): Kept;
  /** One of the servers, if it is ours. */
  server(name: ServerName): Kept | undefined;
  /** Drains the processes, then stops the servers. */
  stop(): Promise<void>;
}

/**
 * Starts everything on a data directory, after ending whatever an earlier start has left behind there.
 * @throws PortTaken, DataDirLocked; Error with a log's last lines when something does not start. Nothing runs then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, say, ports, parts } = options;
  const unlock = lockDataDir(dataDir);
  let servers: Servers | undefined;
  let supervisor: Supervisor | undefined;
  let oldVersions: OldVersions | undefined;
  const stop = async (): Promise<void> => {
    await oldVersions?.stop();
    await supervisor?.stop();
    await servers?.stop();
    unlock();
  };
  try {
    await say.during('Stopping what an earlier start left behind', () => stopLeftOvers(dataDir));
    await checkPorts(ports, neededPorts(parts));
    const kinds = (['postgres', 'kafka', 'temporal'] as const).filter((name) => isOurs(parts, name));
    const kafkaSecurity = loadConfig(options.env, ['HAILWAY_KAFKA_SECURITY']).HAILWAY_KAFKA_SECURITY;
    servers = await say.during(`Starting ${kinds.join(', ')}`, () =>
      startServers({ ...options, kafkaSecurity }),
    );
    options.signal?.throwIfAborted();
    const prepared = await say.during('Preparing databases, topics, search attributes and schedules', () =>
      prepare(options, servers!),
    );
    options.signal?.throwIfAborted();
    const { envOf, buildId, namespace } = prepared;
    supervisor = superviseProcesses({ dataDir, ports, say, envOf });
    await say.during('Starting the processes', () => unlessAborted(supervisor!.untilReady(), options.signal));
    const address = servers.temporalAddress;
    oldVersions = superviseOldVersions({ dataDir, buildId, address, namespace, envOf, supervisor, say });
    return { ...handle(options, servers, supervisor), ...prepared, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The work's outcome, or the signal's reason if that comes first; the work then goes on unheard. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  work.catch(() => {});
  signal?.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal?.removeEventListener('abort', onAbort));
}

async function stopLeftOvers(dataDir: string): Promise<void> {
  // Services before servers, as at every stop.
  await stopLeftOverProcesses(dataDir);
  await stopLeftOverServers(dataDir);
}

async function prepare(options: StackOptions, servers: Servers) {
  const { env, dataDir } = options;
  const [issuer, secrets] = await Promise.all([openIssuer(dataDir), openSecrets(dataDir)]);
  const given = Object.fromEntries(
    owners
      .filter((owner) => isSet(env, databaseVariable(owner)))
      .map((owner) => [owner, env[databaseVariable(owner)] as string]),
  );
  const topicPrefix = env.KAFKA_TOPIC_PREFIX ?? '';
  const namespace = loadConfig(env, ['TEMPORAL_NAMESPACE']).TEMPORAL_NAMESPACE;
  const ownServer = 'postgres' in servers.kept;
  const securesKafka = 'kafka' in servers.kept && hasKafkaSecurity(dataDir);
  const [databaseUrls] = await Promise.all([
    prepareDatabases(servers.postgresUrl, {
      given,
      // On our own server, which listens on this machine only, roles are as easy as the documented defaults.
      password: (owner) => (ownServer ? owner : secrets.of(`postgres/${owner}`)),
    }),
    prepareKafka({
      address: servers.kafka,
      prefix: topicPrefix,
      replicas: loadConfig(env, ['KAFKA_REPLICATION_FACTOR']).KAFKA_REPLICATION_FACTOR,
      access: securesKafka,
      ...(securesKafka && { passwordOf: (principal) => secrets.of(`kafka/${principal}`) }),
    }).then(({ notes }) => notes.forEach((note) => options.say.line(`Kafka: ${note}`))),
    prepareNamespace(servers.temporalAddress, namespace),
  ]);
  await prepareSchedules({ address: servers.temporalAddress, namespace, speed: options.speed });
  const { path: workflowBundle, buildId } = await keepBundle(dataDir, options.workflowBundle);
  const processEnv = await environmentOf({
    ...{ ...options, servers, databaseUrls, issuer, secrets },
    workflowBundle,
  });
  const logins = securesKafka ? await kafkaLogins(dataDir) : {};
  const envOf = (name: ProcessName): NodeJS.ProcessEnv => ({
    ...environmentFor(name, processEnv),
    ...logins[name],
  });
  return { issuer, databaseUrls, topicPrefix, envOf, buildId, namespace };
}

function handle({ ports, dataDir }: StackOptions, servers: Servers, supervisor: Supervisor) {
  const at = (name: ProcessName): string => `http://127.0.0.1:${ports[name]}`;
  return {
    apiUrl: at('gateway'),
    consoleUrl: at('console'),
    pspUrl: at('sandbox-psp'),
    temporalUiUrl: servers.temporalUiUrl,
    kafka: servers.kafka,
    temporalAddress: servers.temporalAddress,
    dataDir,
    process: (name: string) => supervisor.process(name),
    server: (name: ServerName) => servers.kept[name],
  };
}

function isOurs(parts: Parts, name: ServerName): boolean {
  const part = parts[name];
  return !('url' in part || 'brokers' in part || 'address' in part);
}

/** Ports of servers that are somebody else's are of no interest. */
function neededPorts(parts: Parts): PortName[] {
  const owner: Partial<Record<PortName, ServerName>> = {
    postgres: 'postgres',
    kafka: 'kafka',
    'kafka-controller': 'kafka',
    temporal: 'temporal',
    'temporal-ui': 'temporal',
  };
  return portNames.filter((name) => {
    const server = owner[name];
    return server === undefined || isOurs(parts, server);
  });
}

/** Kills everything that runs on a data directory, without asking; for whoever cannot wait. */
export function killEverything(dataDir: string): void {
  for (const name of rememberedNames(dataDir)) {
    const pid = leftOver(dataDir, name);
    if (pid === undefined) continue;
    sendSignal(-pid, 'SIGKILL');
  }
}
