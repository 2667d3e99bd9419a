import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { paymentMessages } from '../../../activities/messages';
import { createPaymentActivities, type ProviderActivities } from '../../../activities/payments';
import { taskQueues } from '../../../domain/names';
import type { Policies } from '../../../domain/policies';
import { standardPolicies } from '../../../domain/policies';
import { createPool, type Pool } from '../../../platform/postgres';
import { createTellNews, type TellNews } from '../../../services/payments/news/tellNews';
import { createProviderClient } from '../../../services/payments/provider/client';
import { prepareNamespace } from '../../stack/namespace';
import { openProvider, type StoryProvider } from './provider';
import { vaultInMemory } from '../../vaultInMemory';

/** What a world stands on. */
export interface WorldGround {
  /** host:port */
  readonly temporalAddress: string;
  readonly workflowBundle: WorkflowBundleOption;
  /** Of payments, with its tables; the world's own. */
  readonly databaseUrl: string;
}

/**
 * Payments in small: the real workflow and activities on a real Temporal, the real books, and for each story a provider
 * of its own, so that what befalls one befalls no other.
 */
export interface World {
  readonly client: Client;
  readonly pool: Pool;
  readonly policies: Policies;
  /** A provider for the payment of this ride; its webhooks come in by their real door. */
  openProvider(rideId: string): Promise<StoryProvider>;
  stop(): Promise<void>;
}

/** Which provider a payment asks, its ride decides. */
const nowhere = 'http://127.0.0.1:1';

/** A day is seconds: everything that a payment may wait for comes in a story. */
const policies: Policies = {
  ...standardPolicies,
  providerPatienceSeconds: 0,
  actionDeadlineMs: 4_000,
  holdValidMs: 1_500,
  tipWindowMs: 8_000,
  refundWindowMs: 8_000,
};

export async function startWorld(ground: WorldGround): Promise<World> {
  const { temporalAddress: address, workflowBundle, databaseUrl } = ground;
  const namespace = `stories-${randomBytes(4).toString('hex')}`;
  await prepareNamespace(address, namespace, { create: true });
  const dataDir = await mkdtemp(join(tmpdir(), 'hailway-stories-'));
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  const client = new Client({ connection, namespace });
  const pool = createPool(databaseUrl, { applicationName: 'stories' });
  const tell: TellNews = createTellNews({ pool, temporal: client, policies, deadlineMs: 5_000 });
  const asking = new Map<string, ProviderActivities>();
  const books = createPaymentActivities({
    pool,
    vault: vaultInMemory(),
    provider: createProviderClient({ apiKey: 'sk_test_nobody', apiBase: nowhere }),
  });
  const worker = await Worker.create({
    connection: nativeConnection,
    namespace,
    taskQueue: taskQueues.payments,
    workflowBundle,
    activities: {
      ...{ ...books.transitions, ...byRide(books.provider, asking), ...paymentMessages },
      // The story is the ride.
      rideGoesOn: () => Promise.resolve(true),
    },
  });
  const running = worker.run();
  return {
    client,
    pool,
    policies,
    async openProvider(rideId) {
      const provider = await openProvider(join(dataDir, rideId), { pool, tell });
      asking.set(rideId, provider.activities);
      return provider;
    },
    async stop() {
      worker.shutdown();
      await running;

      await nativeConnection.close();
      await connection.close();
      await pool.end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Each ride's payment asks its own provider. */
function byRide(
  all: ProviderActivities,
  asking: ReadonlyMap<string, ProviderActivities>,
): ProviderActivities {
  const routed = Object.keys(all).map((call) => [
    call,
    (order: string | { rideId: string }) => {
      const rideId = typeof order === 'string' ? order : order.rideId;
      const own = asking.get(rideId) as Record<string, (order: unknown) => Promise<unknown>> | undefined;
      if (own === undefined) throw new Error(`impossible: no provider for ${rideId}`);
      return own[call]!(order);
    },
  ]);
  return Object.fromEntries(routed) as ProviderActivities;
}
