import { takeParts, type Parts } from '../../stack/parts';
import { freePorts } from '../../stack/ports';
import { silent } from '../../stack/say';
import { startServer } from '../../stack/servers';
import { postgresUrl } from '../../stack/servers/postgres';

/** The parts that are ours, whatever servers the environment names: they are killed, filled up, and full of connections. */
export async function takeOwnParts(): Promise<Parts> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete env[name];
  return takeParts({ env, say: silent });
}

/** The servers that sites stand on. */
export interface Servers {
  /** As a user who may create databases. */
  readonly postgresUrl: string;
  /** host:port of a broker that is alone, as it names itself. */
  readonly kafkaBroker: string;
}

/** Starts Postgres and one broker with data below a folder that Postgres's own user can get to. */
export async function startServers(
  dataDir: string,
): Promise<Servers & { readonly stop: () => Promise<void> }> {
  const [parts, ports] = [await takeOwnParts(), await freePorts()];
  const started = await Promise.allSettled(
    (['postgres', 'kafka'] as const).map((name) => startServer(name, { parts, ports, dataDir, say: silent })),
  );
  const stop = async (): Promise<void> => {
    for (const one of started) if (one.status === 'fulfilled') await one.value?.stop();
  };
  for (const one of started)
    if (one.status === 'rejected') {
      await stop();
      throw one.reason;
    }
  return {
    postgresUrl: postgresUrl(ports.postgres),
    kafkaBroker: `127.0.0.1:${ports.kafka}`,
    stop,
  };
}
