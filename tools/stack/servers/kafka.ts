import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createKafka, waitForCoordinator } from '../../../platform/kafka';
import { runCommand } from '../command';
import { keepRunning, type Kept } from '../keep';
import type { Say } from '../say';
import { startDaemon, stopLeftOver } from './daemon';

export interface KafkaOptions {
  readonly java: string;
  /** The folder of Kafka's jars. */
  readonly jars: string;
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly say: Say;
}

const memory = [
  ...['-Xms96m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:MaxMetaspaceSize=96m'],
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
  mkdirSync(home, { recursive: true });
  const properties = join(home, 'server.properties');
  writeFileSync(properties, propertiesOf(options, join(home, 'log')));
  const logging = join(home, 'log4j2.properties');
  writeFileSync(logging, loggingProperties);
  const classpath = ['-cp', join(jars, '*'), `-Dlog4j2.configurationFile=${logging}`];
  await format(options, [...memory, '-XX:TieredStopAtLevel=1', ...classpath]);
  const brokers = [`127.0.0.1:${port}`];
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
      if (!wasReady) await waitForCoordinator(createKafka({ brokers, clientId: 'stack' }), { timeoutMs: 1 });
      wasReady = true;
      return true;
    },
  });
}

function propertiesOf({ port, controllerPort }: KafkaOptions, logDir: string): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
    'auto.create.topics.enable': false,
    'num.partitions': 6,
    'offsets.topic.num.partitions': 6,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
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
async function format({ java, dataDir }: KafkaOptions, flags: readonly string[]): Promise<void> {
  const home = join(dataDir, 'kafka');
  if (existsSync(join(home, 'log', 'meta.properties'))) return;
  const idFile = join(home, 'cluster.id');
  if (!existsSync(idFile)) {
    writeFileSync(`${idFile}.new`, randomBytes(16).toString('base64url').replace(/^-/, '0'));
    await rename(`${idFile}.new`, idFile);
  }
  // What has no meta.properties was never served from.
  await rm(join(home, 'log'), { recursive: true, force: true });
  const id = readFileSync(idFile, 'utf8');
  const config = join(home, 'server.properties');
  await runCommand(java, [...flags, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config]);
}
