import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { paymentMessages, rideMessages } from '../../activities/messages';
import { createPaymentActivities } from '../../activities/payments';
import { createRideActivities } from '../../activities/rides';
import type { Verifier } from '../../platform/auth';
import { CodedError } from '../../platform/errors';
import { createPool, type Pool } from '../../platform/postgres';
import { playedMap } from './playedMap';
import type { PlayedProvider } from './playedProvider';
import { testBundle } from './bundles';
import { prepareNamespace } from '../../tools/stack/namespace';
import { createDatabase, temporalAddress } from './servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** What the API stands on in tests: databases, tokens, and workers in a namespace of their own. */

/** What has to be stopped, the last first. */
export type Stops = (() => Promise<unknown>)[];

/** A pool on a new database of this owner. */
export async function database(owner: 'rides' | 'payments' | 'pricing', stops: Stops): Promise<Pool> {
  const pool = createPool(await createDatabase(owner), { applicationName: 'api test' });
  stops.push(() => pool.end());
  return pool;
}

export async function issuer(): Promise<{
  verify: Verifier;
  token: (role: string, sub: string) => Promise<string>;
}> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  return {
    token: (role, sub) =>
      new SignJWT({ role })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setSubject(sub)
        .setExpirationTime('5m')
        .sign(privateKey),
    verify: async (text) => {
      const verified = await jwtVerify(text, publicKey).catch(() => null);
      if (verified === null) throw new CodedError('unauthenticated', 'the token is not valid');
      return { sub: verified.payload.sub ?? '', role: String(verified.payload['role']) };
    },
  };
}

/** A namespace of this test file's own: other files' workers listen on queues of the same names. */
export async function ownNamespace(): Promise<string> {
  const namespace = `api-${randomUUID()}`;
  await prepareNamespace(temporalAddress(), namespace, { create: true });
  return namespace;
}

/** Workers of both queues in this namespace; the payment provider and the map are played. */
export async function startWorkers(
  options: {
    readonly rides: Pool;
    readonly payments: Pool;
    readonly nearby: readonly string[];
    readonly namespace: string;
    readonly provider: PlayedProvider;
  },
  stops: Stops,
): Promise<void> {
  const { rides, payments, nearby, namespace, provider } = options;
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  stops.push(() => connection.close());
  const { transitions, dispatch, lifecycle } = createRideActivities({
    pool: rides,
    vault: vaultInMemory(),
    findNearby: playedMap(nearby),
  });
  const books = createPaymentActivities({
    pool: payments,
    vault: vaultInMemory(),
    provider: undefined as never,
  });
  const common = { connection, namespace, workflowBundle: testBundle() };
  const activities = {
    rides: { ...transitions, ...dispatch, ...lifecycle, ...rideMessages },
    payments: { ...books.transitions, ...provider.activities, ...paymentMessages },
  };
  for (const taskQueue of ['rides', 'payments'] as const) {
    const worker = await Worker.create({ ...common, taskQueue, activities: activities[taskQueue] });
    const running = worker.run();
    stops.push(() => {
      worker.shutdown();
      return running;
    });
  }
}
