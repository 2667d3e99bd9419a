import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createKafka, waitForCoordinator } from '../../../platform/kafka';
import { runCommand } from '../command';
import { keepRunning, type Kept } from '../keep';
import type { Say } from '../say';
import { startDaemon, stopLeftOver } from './daemon';
import {
  embeddedKafka,
  firstLogin,
  kafkaSecurity,
  securityProperties,
  type KafkaSecurity,
} from './kafkaSecurity';

/** A broker's place among several that are one cluster; each is a controller, too. */
export interface ClusterPlace {
  /** The same for all of them: 22 letters, digits, `-` or `_`, without `-` in front. */
  readonly id: string;
  readonly node: number;
  /** Of all, by their node. */
  readonly controllerPorts: Readonly<Record<number, number>>;
}

export interface KafkaOptions {
  readonly java: string;
  /** The folder of Kafka's jars. */
  readonly jars: string;
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly say: Say;
  /** Whether a new data directory's Kafka asks for TLS, a login and rights (no). */
  readonly secure?: boolean;
  /** Alone unless told otherwise. */
  readonly cluster?: ClusterPlace;
  /** The heap's limit (384). */
  readonly heapMb?: number;
}

const memoryFlags = (heapMb: number): string[] => [
  ...['-Xms96m', `-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:MaxMetaspaceSize=96m'],
  ...['-XX:ReservedCodeCacheSize=64m', '-Xss512k', '-XX:MaxDirectMemorySize=128m'],
];

const stopDeadlineMs = 20_000;

/** Ends a broker that an earlier start left behind on this data. */
export async function stopLeftOverKafka(dataDir: string): Promise<void> {
  await stopLeftOver(dataDir, 'kafka', { signal: 'SIGTERM', deadlineMs: stopDeadlineMs });
}

/** Formats the log directory on the first start, starts broker and controller in one process, keeps it running. */
export async function startKafka(options: KafkaOptions): Promise<Kept> {
  const { java, jars, dataDir, port, say } = options;
  const home = join(dataDir, 'kafka');
  const memory = memoryFlags(options.heapMb ?? 384);
  mkdirSync(home, { recursive: true });
  const security = await kafkaSecurity({ java, dataDir, wanted: options.secure ?? false });
  const properties = join(home, 'server.properties');
  await rm(properties, { force: true });
  // It may hold passwords.
  writeFileSync(properties, propertiesOf(options, security), { mode: 0o600 });
  const logging = join(home, 'log4j2.properties');
  writeFileSync(logging, loggingProperties);
  const classpath = ['-cp', join(jars, '*'), `-Dlog4j2.configurationFile=${logging}`];
  await format(options, [...memory, '-XX:TieredStopAtLevel=1', ...classpath], security);
  const address = await embeddedKafka(dataDir, port);
  let wasReady = false;
  return keepRunning({
    name: 'kafka',
    dataDir,
    say,
    stopDeadlineMs,
    start: () => {
      wasReady = false;
      return startDaemon({
        name: 'kafka',
        dataDir,
        command: java,
        args: [...memory, '-Djava.awt.headless=true', ...classpath, 'kafka.Kafka', properties],
        cwd: home,
      });
    },
    async isReady() {
      // Right after its start the broker answers, but its coordinators load for a second or two.
      if (!wasReady)
        await waitForCoordinator(createKafka({ ...address, clientId: 'stack' }), { timeoutMs: 1 });
      wasReady = true;
      return true;
    },
  });
}

const logDirOf = (dataDir: string): string => join(dataDir, 'kafka', 'log');

function propertiesOf(options: KafkaOptions, security: KafkaSecurity | undefined): string {
  const { port, controllerPort, cluster } = options;
  const controllers = cluster?.controllerPorts ?? { 1: controllerPort };
  // Of three, one may be away.
  const copies = Math.min(3, Object.keys(controllers).length);
  const inSync = Math.max(1, copies - 1);
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': cluster?.node ?? 1,
    'controller.quorum.voters': Object.entries(controllers)
      .map(([node, voterPort]) => `${node}@127.0.0.1:${voterPort}`)
      .join(','),
    listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'CLIENT',
    'controller.listener.names': 'CONTROLLER',
    ...(security
      ? securityProperties(security)
      : { 'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT' }),
    'log.dirs': logDirOf(options.dataDir),
    'auto.create.topics.enable': false,
    'num.partitions': 6,
    'offsets.topic.num.partitions': 6,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 2,
    'group.initial.rebalance.delay.ms': 0,
    // After a kill the controller waits for the old broker's session: 5 s instead of 13 s.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
    'background.threads': 4,
    'log.segment.bytes': 67_108_864,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.cleaner.threads': 1,
    'message.max.bytes': 1_048_588,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const loggingProperties = `rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %p %c{1}: %m%n
`;

/** Gives the log directory its cluster id. Formatting again what is formatted does nothing. */
async function format(
  options: KafkaOptions,
  flags: readonly string[],
  security: KafkaSecurity | undefined,
): Promise<void> {
  const home = join(options.dataDir, 'kafka');
  const logDir = logDirOf(options.dataDir);
  if (existsSync(join(logDir, 'meta.properties'))) return;
  const idFile = join(home, 'cluster.id');
  if (!existsSync(idFile)) {
    const id = options.cluster?.id ?? randomBytes(16).toString('base64url').replace(/^-/, '0');
    writeFileSync(`${idFile}.new`, id);
    await rename(`${idFile}.new`, idFile);
  }
  // What has no meta.properties was never served from.
  await rm(logDir, { recursive: true, force: true });
  const id = readFileSync(idFile, 'utf8');
  const config = join(home, 'server.properties');
  const login = security ? firstLogin(security) : [];
  await runCommand(options.java, [
    ...[...flags, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config],
    ...login,
  ]);
}
