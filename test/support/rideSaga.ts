import { Client, WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { v7 as uuidv7 } from 'uuid';
import { paymentMessages, rideMessages, type RideMessages } from '../../activities/messages';
import { createPaymentActivities } from '../../activities/payments';
import { createRideActivities } from '../../activities/rides';
import type { RideActivities } from '../../activities/rides';
import { rideUpdates, rideWorkflowId, scheduledRideWorkflowId, workflowTypes } from '../../domain/names';
import type { PaymentStatus } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import type { Policies } from '../../domain/policies';
import type { Ride, RideRequest } from '../../domain/ride';
import { createPool } from '../../platform/postgres';
import type { Pool } from '../../platform/postgres';
import { acceptOffer, declineOffer } from '../../services/rides/offers';
import { goOnline, registerDriver } from '../../services/rides/drivers';
import { rideStartOptions } from '../../services/rides/rideStart';
import { getRide } from '../../services/rides/store';
import { testBundle } from './bundles';
import { interposed, type BeforeSteps } from './interposed';
import { playedProvider } from './playedProvider';
import type { PlayedProvider } from './playedProvider';
import { playedMap } from './playedMap';
import { rideRequest } from './rides';
import { createDatabase, timeSkippingEnvironment } from './servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** A ride's saga with its real activities on a real database; drivers and the payment provider are played. */
export interface RideSaga {
  readonly env: TestWorkflowEnvironment;
  /** The rides database. */
  readonly pool: Pool;
  readonly client: Client;
  readonly provider: PlayedProvider;
  before: BeforeSteps;
  /** Does the work of an activity instead of it, for as long as it is there. */
  instead: Partial<RideActivities['dispatch'] & RideActivities['lifecycle']>;
  /** Who the location service finds near every pickup, nearest first. */
  nearby: string[];
  /** Registers drivers, online and near. */
  drivers(...driverIds: string[]): Promise<void>;
  /** A new driver, online and near, with a ride that is theirs. */
  assigned(): Promise<{ rideId: string; driverId: string }>;
  /** The same, at the pickup. */
  arrived(): Promise<{ rideId: string; driverId: string }>;
  /** How the ride's workflow ended. */
  result(rideId: string): Promise<unknown>;
  /** Requests a ride; resolves when it is recorded. */
  request(changes?: Partial<RideRequest>, policies?: Partial<Policies>): Promise<string>;
  /** Requests a ride for so much later; resolves when it is recorded. */
  schedule(aheadMs: number, policies?: Partial<Policies>, rideId?: string): Promise<string>;
  /** Lets time pass up to then (ms since the epoch), however much of it has passed by itself. */
  sleepUntil(ms: number): Promise<void>;
  /** The workflow in which a scheduled ride waits. */
  waiting(rideId: string): WorkflowHandle;
  update(rideId: string, name: keyof typeof rideUpdates, argument: object): Promise<Ride>;
  ride(rideId: string): Promise<Ride>;
  /** Waits, without moving the clock, until the committed ride is so. */
  until(rideId: string, isSo: (ride: Ride) => boolean): Promise<Ride>;
  /** The open offer of a driver, once there is one. */
  offerTo(driverId: string): Promise<{ offerId: string; round: number; rideId: string }>;
  /** Accepts the open offer of a driver in Postgres and, unless told otherwise, sends the Update. */
  accept(driverId: string, send?: { update: boolean }): Promise<{ offerId: string }>;
  decline(driverId: string): Promise<{ round: number; openOffersLeft: number }>;
  /** The driver's lease. */
  lease(driverId: string): Promise<{ offerId: string | null; rideId: string | null }>;
  factTypes(rideId: string): Promise<string[]>;
  /** Waits, without moving the clock, until the ride's payment is so. */
  untilPayment(rideId: string, status: PaymentStatus): Promise<void>;
  readonly activities: RideActivities;
  stop(): Promise<void>;
}

/** On databases of its own and, unless given another, a time-skipping server of its own; `stop()` ends them. */
export async function startRideSaga(environment?: TestWorkflowEnvironment): Promise<RideSaga> {
  const env = environment ?? (await timeSkippingEnvironment());
  const pool = createPool(await createDatabase('rides'), { applicationName: 'test' });
  const payments = createPool(await createDatabase('payments'), { applicationName: 'test' });
  const provider = playedProvider();
  const nearby: string[] = [];
  const activities = createRideActivities({
    vault: vaultInMemory(),
    pool,
    findNearby: playedMap(nearby),
    now: () => env.currentTimeMs(),
  });
  const books = createPaymentActivities({
    pool: payments,
    vault: vaultInMemory(),
    provider: undefined as never,
  });
  const namespace = env.namespace ?? 'default';
  const common = { connection: env.nativeConnection, namespace, workflowBundle: testBundle() };
  const workers = [
    await Worker.create({
      ...common,
      taskQueue: 'rides',
      activities: {
        ...interposed(activities.transitions, () => saga.before),
        offerRide: (round) => (saga.instead.offerRide ?? activities.dispatch.offerRide)(round),
        closeOffers: (round) => (saga.instead.closeOffers ?? activities.dispatch.closeOffers)(round),
        startRide: (start) => (saga.instead.startRide ?? activities.lifecycle.startRide)(start),
        readRide: activities.lifecycle.readRide,
        ...rideMessages,
      } satisfies RideActivities['transitions'] &
        RideActivities['dispatch'] &
        RideActivities['lifecycle'] &
        RideMessages,
    }),
    await Worker.create({
      ...common,
      taskQueue: 'payments',
      activities: { ...books.transitions, ...provider.activities, ...paymentMessages },
    }),
  ];
  const running = workers.map((worker) => worker.run());
  // Not env.client: its pending `result()` would move the clock while other rides are open.
  const client = new Client({ connection: env.connection, namespace });
  const handle = (rideId: string) => client.workflow.getHandle(rideWorkflowId(rideId));
  const now = async (): Promise<string> => new Date(await env.currentTimeMs()).toISOString();

  /** As the API does. */
  const begin = async (type: string, request: RideRequest, policies: Partial<Policies>): Promise<void> => {
    const start = { request, requestedAt: await now(), policies: { ...standardPolicies, ...policies } };
    const startWorkflowOperation = new WithStartWorkflowOperation(type, {
      ...rideStartOptions(start),
      workflowIdConflictPolicy: 'FAIL',
    });
    await client.workflow.executeUpdateWithStart(rideUpdates.request, { startWorkflowOperation });
  };

  const saga: RideSaga = {
    env,
    pool,
    client,
    provider,
    activities,
    before: {},
    instead: {},
    nearby,
    async drivers(...driverIds) {
      for (const driverId of driverIds) {
        const details = { name: driverId, plate: 'T-1', product: 'standard' as const, fleetId: null };
        await registerDriver(pool, { driverId, details, vault: vaultInMemory(), at: await now() });
        await goOnline(pool, { driverId, at: await now() });
        nearby.push(driverId);
      }
    },
    async assigned() {
      const driverId = `driver-${uuidv7()}`;
      nearby.length = 0;
      await saga.drivers(driverId);
      const rideId = await saga.request();
      await saga.accept(driverId);
      return { rideId, driverId };
    },
    async arrived() {
      const ride = await saga.assigned();
      await saga.update(ride.rideId, 'arrive', { driverId: ride.driverId });
      return ride;
    },
    result: (rideId) => handle(rideId).result(),
    async request(changes = {}, policies = {}) {
      const rideId = changes.rideId ?? uuidv7();
      await begin(workflowTypes.ride, rideRequest({ ...changes, rideId, quoteId: uuidv7() }), policies);
      return rideId;
    },
    async schedule(aheadMs, policies = {}, rideId = uuidv7()) {
      const scheduledFor = new Date((await env.currentTimeMs()) + aheadMs).toISOString();
      const request = rideRequest({ rideId, quoteId: uuidv7(), scheduledFor });
      await begin(workflowTypes.scheduledRide, request, policies);
      return rideId;
    },
    async sleepUntil(ms) {
      await env.sleep(Math.max(1, ms - (await env.currentTimeMs())));
    },
    waiting: (rideId) => client.workflow.getHandle(scheduledRideWorkflowId(rideId)),
    update: (rideId, name, argument) =>
      handle(rideId).executeUpdate<Ride, [object]>(rideUpdates[name], { args: [argument] }),
    async ride(rideId) {
      return (await getRide(pool, rideId))!;
    },
    until: (rideId, isSo) =>
      eventually(async () => {
        const ride = await getRide(pool, rideId);
        return ride && isSo(ride) ? ride : undefined;
      }),
    offerTo: (driverId) =>
      eventually(async () => {
        const { rows } = await pool.query<{ offerId: string; round: number; rideId: string }>(
          `select offer_id as "offerId", round, ride_id as "rideId" from offers
           where driver_id = $1 and state = 'offered'`,
          [driverId],
        );
        return rows[0];
      }),
    async accept(driverId, { update } = { update: true }) {
      const { offerId } = await saga.offerTo(driverId);
      const { rideId } = await acceptOffer(pool, { offerId, driverId, now: await now() });
      if (update) await saga.update(rideId, 'offerAccepted', { offerId, driverId });
      return { offerId };
    },
    async decline(driverId) {
      const { offerId } = await saga.offerTo(driverId);
      const declined = await declineOffer(pool, { offerId, driverId });
      if (declined.openOffersLeft === 0) {
        await handle(declined.rideId).signal('offersDeclined', { round: declined.round });
      }
      return declined;
    },
    async lease(driverId) {
      const { rows } = await pool.query<{ offerId: string | null; rideId: string | null }>(
        'select offer_id as "offerId", ride_id as "rideId" from drivers where driver_id = $1',
        [driverId],
      );
      return rows[0]!;
    },
    async factTypes(rideId) {
      const { rows } = await pool.query<{ type: string }>(
        'select fact_type as type from steps where aggregate_id = $1 order by version',
        [rideId],
      );
      return rows.map((row) => row.type);
    },
    async untilPayment(rideId, status) {
      await eventually(async () => {
        const { rows } = await payments.query<object>(
          'select 1 from payments where payment_id = $1 and status = $2',
          [rideId, status],
        );
        return rows[0];
      });
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await Promise.all([pool.end(), payments.end()]);
      await env.teardown();
    },
  };
  return saga;
}

/** Looks again and again, for 10 s of real time at most, until there is something. */
export async function eventually<T>(look: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not so within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
