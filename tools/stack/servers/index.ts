import type { KafkaAddress } from '../../../platform/kafka';
import type { Kept } from '../keep';
import type { Parts } from '../parts';
import type { Ports } from '../ports';
import type { Say } from '../say';
import { startKafka, stopLeftOverKafka } from './kafka';
import { embeddedKafka } from './kafkaSecurity';
import { postgresUrl, startPostgres, stopLeftOverPostgres } from './postgres';
import { startTemporal, stopLeftOverTemporal } from './temporal';

export interface ServersOptions {
  readonly parts: Parts;
  readonly dataDir: string;
  readonly ports: Ports;
  readonly say: Say;
  /** Whether a new data directory's Kafka asks for TLS, a login and rights (no). */
  readonly kafkaSecurity?: boolean;
}

export type ServerName = keyof Parts;

/** The servers, ours or somebody else's. */
export interface Servers {
  /** As a user who may create roles and databases. */
  readonly postgresUrl: string;
  /** With the login of the stack itself, who may do everything. */
  readonly kafka: KafkaAddress;
  readonly temporalAddress: string;
  /** Undefined when the server is not ours. */
  readonly temporalUiUrl: string | undefined;
  /** Those that we run. */
  readonly kept: Readonly<Partial<Record<ServerName, Kept>>>;
  /** Stops ours, Postgres last. */
  stop(): Promise<void>;
  /** Kills ours at once. */
  hurry(): void;
}

/** Ends servers that an earlier start left behind on this data directory. */
export async function stopLeftOverServers(dataDir: string): Promise<void> {
  await Promise.all([
    stopLeftOverTemporal(dataDir),
    stopLeftOverKafka(dataDir),
    stopLeftOverPostgres(dataDir),
  ]);
}

/** Starts the one server of this name; returns once it answers. */
export async function startServer(name: ServerName, options: ServersOptions): Promise<Kept | undefined> {
  const { parts, ports } = options;
  const { postgres, kafka, temporal } = parts;
  let kept: Kept | undefined;
  if (name === 'postgres' && 'binaries' in postgres) {
    kept = await startPostgres({ ...options, binaries: postgres.binaries, port: ports.postgres });
  } else if (name === 'kafka' && 'java' in kafka) {
    const controllerPort = ports['kafka-controller'];
    const secure = options.kafkaSecurity ?? false;
    kept = await startKafka({ ...options, ...kafka, port: ports.kafka, controllerPort, secure });
  } else if (name === 'temporal' && 'binary' in temporal) {
    const { binary } = temporal;
    kept = startTemporal({ ...options, binary, port: ports.temporal, uiPort: ports['temporal-ui'] });
  }
  try {
    await kept?.untilReady();
  } catch (error) {
    await kept?.stop();
    throw error;
  }
  return kept;
}

/**
 * Starts those servers that are not somebody else's; returns once all answer. Data persists in the data directory.
 * Left-over servers must have been stopped and the ports checked.
 * @throws when one does not start; the others are stopped then
 */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { parts, ports } = options;
  const names = ['postgres', 'kafka', 'temporal'] as const;
  const outcomes = await Promise.allSettled(names.map((name) => startServer(name, options)));
  const kept: Partial<Record<ServerName, Kept>> = {};
  outcomes.forEach((outcome, i) => {
    const name = names[i];
    if (name && outcome.status === 'fulfilled' && outcome.value) kept[name] = outcome.value;
  });
  const stop = async (): Promise<void> => {
    await Promise.all([kept.kafka?.stop(), kept.temporal?.stop()]);
    await kept.postgres?.stop();
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const { postgres, kafka, temporal } = parts;
  return {
    postgresUrl: 'url' in postgres ? postgres.url : postgresUrl(ports.postgres),
    kafka: 'brokers' in kafka ? kafka : await embeddedKafka(options.dataDir, ports.kafka),
    temporalAddress: 'address' in temporal ? temporal.address : `127.0.0.1:${ports.temporal}`,
    temporalUiUrl: 'address' in temporal ? undefined : `http://127.0.0.1:${ports['temporal-ui']}`,
    kept,
    stop,
    hurry: () => Object.values(kept).forEach((server) => server.hurry()),
  };
}
