import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { foldRide } from '../../domain/foldRide';
import { rideSignals, rideUpdates, rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import type { Ride } from '../../domain/ride';
import { createPool } from '../../platform/postgres';
import { getDriver, goOnline, registerDriver } from '../../services/rides/drivers';
import { acceptOffer } from '../../services/rides/offers';
import { getRide, rideFactsOf } from '../../services/rides/store';
import { projectRoot } from '../../tools/stack/places';
import { freePorts } from '../../tools/stack/ports';
import { ownNamespace } from '../support/apiGround';
import { losingProxy } from '../support/losingProxy';
import { eventually } from '../support/rideSaga';
import { rideRequest } from '../support/rides';
import { createDatabase, temporalAddress } from '../support/servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

const driverId = 'driver-1';
const workers: ChildProcess[] = [];
const stops: (() => unknown)[] = [];
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  for (const stop of stops.reverse()) await stop();
});

/** The real rides worker, in a process of its own. */
async function startWorker(
  databaseUrl: string,
  namespace: string,
  locationUrl: string,
): Promise<ChildProcess> {
  const { rides } = await freePorts();
  const worker = spawn(process.execPath, [join(projectRoot(), 'dist', 'services', 'rides', 'main.js')], {
    stdio: 'ignore',
    env: {
      ...process.env,
      RIDES_DATABASE_URL: databaseUrl,
      KEYS_DATABASE_URL: await createDatabase('keys'),
      PERSONAL_KEYS: 'test:the-secret-that-wraps-the-keys-of-people',
      TEMPORAL_ADDRESS: temporalAddress(),
      TEMPORAL_NAMESPACE: namespace,
      LOCATION_URL: locationUrl,
      HAILWAY_RIDES_PORT: String(rides),
    },
  });
  workers.push(worker);
  return worker;
}

/** A location service that knows one driver, who is near everything. */
async function oneDriverNearby(): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ drivers: [{ driverId, lat: 0, lng: 0, distanceMeters: 1, ageMs: 1 }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a worker killed between the commit of a step and its report, while a cancel arrives: both stand, in order', async () => {
  await promisify(execFile)(process.execPath, [join(projectRoot(), 'tools', 'stack', 'prepare.mjs')]);
  const databaseUrl = await createDatabase('rides');
  const pool = createPool(databaseUrl, { applicationName: 'test' });
  const proxy = await losingProxy(databaseUrl);
  const namespace = await ownNamespace();
  const connection = await Connection.connect({ address: temporalAddress() });
  stops.push(
    () => pool.end(),
    () => proxy.close(),
    () => connection.close(),
  );
  const client = new Client({ connection, namespace });
  const locationUrl = await oneDriverNearby();
  const at = new Date().toISOString();
  await registerDriver(pool, {
    driverId,
    details: { name: 'D', plate: 'T-1', product: 'standard', fleetId: null },
    vault: vaultInMemory(),
    at,
  });
  await goOnline(pool, { driverId, at });

  // A ride whose driver has accepted; the Update never comes, so the worker adopts the winner by itself.
  const doomed = await startWorker(proxy.url, namespace, locationUrl);
  const rideId = uuidv7();
  const handle = await client.workflow.start('ride', {
    workflowId: rideWorkflowId(rideId),
    taskQueue: 'rides',
    args: [
      {
        request: rideRequest({ rideId, quoteId: uuidv7() }),
        requestedAt: at,
        policies: { ...standardPolicies, offerTtlMs: 1_500 },
      },
    ],
  });
  await handle.executeUpdate(rideUpdates.request);
  await handle.signal(rideSignals.paymentAuthorized);
  const offer = await eventually(async () => {
    const { rows } = await pool.query<{ offerId: string }>(
      `select offer_id as "offerId" from offers where ride_id = $1 and state = 'offered'`,
      [rideId],
    );
    return rows[0];
  });
  const lost = proxy.loseCommitAfter(`${rideId}/assignDriver/`);
  await acceptOffer(pool, { offerId: offer.offerId, driverId, now: new Date().toISOString() });
  await lost;
  await eventually(async () => (await getRide(pool, rideId))?.status === 'assigned' || undefined);
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');

  const cancelled = handle.executeUpdate<Ride, [object]>(rideUpdates.cancel, {
    args: [{ by: 'rider', reason: 'changed_mind' }],
  });
  await startWorker(databaseUrl, namespace, locationUrl);
  expect((await cancelled).status).toBe('cancelled');

  const facts = (await rideFactsOf(pool, [rideId])).get(rideId)!;
  expect(facts.map((fact) => fact.type)).toEqual([
    'ride.requested',
    'ride.matching_started',
    'ride.driver_assigned',
    'ride.cancelled',
  ]);
  expect(facts.reduce<Ride | null>(foldRide, null)).toEqual(await getRide(pool, rideId));
  expect(await getDriver(pool, driverId)).toMatchObject({ rideId: null, offerId: null });
}, 120_000);
