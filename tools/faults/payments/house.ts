import { Client, Connection } from '@temporalio/client';
import { createPool, type Pool } from '../../../platform/postgres';
import { prepareNamespace } from '../../stack/namespace';
import { freePort } from '../../stack/ports';
import { providerKey } from '../providerBooks';
import type { Cell } from './cells';
import { signsOf } from './cells';
import { openDatabaseDoor } from './databaseDoor';
import { startMortalWorker } from './mortalWorker';
import { openProviderDoor } from './providerDoor';

/** The servers that houses stand on. */
export interface Ground {
  /** host:port */
  readonly temporalAddress: string;
  readonly providerUrl: string;
  /** For the logs of the processes. */
  readonly dataDir: string;
  /** A new database with the tables of its owner. @returns its URL */
  createDatabase(owner: 'payments' | 'keys'): Promise<string>;
}

/** A payments worker with a database and a namespace of its own, behind doors that can cut it off. */
export interface House {
  readonly pool: Pool;
  readonly client: Client;
  readonly providerUrl: string;
  /** Does something in the middle of which the worker is killed at the cell's moment; it is back on return. */
  dieDuring<T>(cell: Cell, act: () => Promise<T>): Promise<T>;
  /** The same, at no moment in particular: so many milliseconds after it has begun. */
  dieAfter<T>(ms: number, act: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

const HIT_DEADLINE_MS = 60_000;

export async function startHouse(ground: Ground): Promise<House> {
  const { temporalAddress: address, providerUrl, dataDir } = ground;
  const namespace = `crash-${Math.random().toString(36).slice(2, 10)}`;
  await prepareNamespace(address, namespace, { create: true });
  const databaseUrl = await ground.createDatabase('payments');
  const [toProvider, toDatabase] = [await openProviderDoor(providerUrl), await openDatabaseDoor(databaseUrl)];
  const pool = createPool(databaseUrl, { applicationName: 'crash', max: 3 });
  const connection = await Connection.connect({ address });
  const worker = await startMortalWorker({
    name: `payments-${namespace}`,
    port: await freePort(),
    dataDir,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      HAILWAY_DATA_DIR: dataDir,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      PAYMENTS_DATABASE_URL: toDatabase.url,
      KEYS_DATABASE_URL: await ground.createDatabase('keys'),
      PERSONAL_KEYS: 'crash:wraps-the-keys-of-people-for-a-crash',
      STRIPE_API_BASE: toProvider.url,
      STRIPE_API_KEY: providerKey,
    },
  });

  const armed = ({ call, point }: Cell, onHit: () => void): void => {
    const { path, step } = signsOf[call];
    if (point === 'beforeCall' || point === 'beforeAnswer') toProvider.arm({ path, point, onHit });
    else toDatabase.arm({ text: `/${step}/`, point, onHit });
  };
  return {
    pool,
    client: new Client({ connection, namespace }),
    providerUrl,
    async dieDuring(cell, act) {
      const hit = new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('the moment never came')), HIT_DEADLINE_MS);
        armed(cell, () => {
          worker.kill();
          clearTimeout(late);
          resolve();
        });
      });
      const acting = act();
      // Heard of below: it goes on while the worker is away.
      acting.catch(() => undefined);
      await hit;
      await worker.revive();
      return acting;
    },
    async dieAfter(ms, act) {
      const acting = act();
      acting.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, ms));
      worker.kill();
      await worker.revive();
      return acting;
    },
    async stop() {
      await worker.stop();
      await connection.close();
      await pool.end();
      await toProvider.close();
      await toDatabase.close();
    },
  };
}
