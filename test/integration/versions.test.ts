import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowExecutionDescription } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { paymentMessages, rideMessages } from '../../activities/messages';
import { createPaymentActivities } from '../../activities/payments';
import { createRideActivities } from '../../activities/rides';
import {
  deployments,
  paymentWorkflowId,
  rideUpdates,
  rideWorkflowId,
  scheduledRideWorkflowId,
  taskQueues,
  workflowTypes,
} from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { requestOf } from '../../domain/requestChange';
import type { RideStart } from '../../domain/sagas';
import { buildIdOf, openOn, versionStatus, type VersionStatus } from '../../platform/deployment';
import { startWorker } from '../../platform/temporal';
import { rideStartOptions } from '../../services/rides/rideStart';
import { getRide } from '../../services/rides/store';
import { database, ownNamespace, type Stops } from '../support/apiGround';
import { eventually, quiet } from '../support/backbone';
import { nextWorkflows, todaysWorkflows, writeBundle } from '../support/bundles';
import { playedProvider } from '../support/playedProvider';
import { rideRequest } from '../support/rides';
import { temporalAddress } from '../support/servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

const stops: Stops = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** A Temporal with rides and payments on real databases, and workers of any version. */
async function versioned() {
  const namespace = await ownNamespace();
  const folder = await mkdtemp(join(tmpdir(), 'hailway-versions-'));
  stops.push(() => rm(folder, { recursive: true }));
  const rides = await database('rides', stops);
  const books = createPaymentActivities({
    vault: vaultInMemory(),
    pool: await database('payments', stops),
    provider: undefined as never,
  });
  const { transitions, dispatch, lifecycle } = createRideActivities({
    vault: vaultInMemory(),
    pool: rides,
    findNearby: () => Promise.resolve([]),
  });
  const activities = {
    rides: { ...transitions, ...dispatch, ...lifecycle, ...rideMessages },
    payments: { ...books.transitions, ...playedProvider().activities, ...paymentMessages },
  };
  const connection = await Connection.connect({ address: temporalAddress() });
  stops.push(() => connection.close());
  const client = new Client({ connection, namespace });
  const server = { workflowService: connection.workflowService, namespace };
  const bundle = async (name: string, workflows: string) => {
    const codePath = await writeBundle(workflows, join(folder, `${name}.js`));
    return { codePath, buildId: await buildIdOf(codePath) };
  };
  return {
    client,
    old: await bundle('old', todaysWorkflows),
    next: await bundle('next', nextWorkflows),
    /** A worker as production has it; the answer ends it. */
    async work(queue: keyof typeof deployments, { codePath }: { codePath: string }) {
      const stopping = new AbortController();
      const { stopped } = await startWorker({
        ...{ address: temporalAddress(), namespace, taskQueue: taskQueues[queue], codePath, log: quiet },
        ...{ activities: activities[queue], deploymentName: deployments[queue], setCurrent: true },
        signal: stopping.signal,
      });
      const stop = () => {
        stopping.abort();
        return stopped;
      };
      stops.push(stop);
      return stop;
    },
    async request(): Promise<string> {
      const request = rideRequest({ rideId: uuidv7(), quoteId: uuidv7() });
      const policies = { ...standardPolicies, matchingDeadlineMs: 600_000 };
      const start: RideStart = { request, requestedAt: new Date().toISOString(), policies };
      const handle = await client.workflow.start(workflowTypes.ride, {
        workflowId: rideWorkflowId(request.rideId),
        taskQueue: taskQueues.rides,
        args: [start],
      });
      await handle.executeUpdate(rideUpdates.request);
      return request.rideId;
    },
    /** A ride for a pickup so far ahead, under policies that release it when it comes. */
    async schedule(aheadMs: number): Promise<string> {
      const [rideId, requestedAt] = [uuidv7(), new Date().toISOString()];
      const request = rideRequest({ rideId, quoteId: uuidv7(), scheduledFor: inMs(aheadMs) });
      const policies = { ...standardPolicies, scheduleMinAheadMs: 1, scheduleLeadMs: 0 };
      const start: RideStart = { request, requestedAt, policies };
      const handle = await client.workflow.start(workflowTypes.scheduledRide, rideStartOptions(start));
      await handle.executeUpdate(rideUpdates.request);
      return rideId;
    },
    async moveTo(rideId: string, scheduledFor: string): Promise<void> {
      const handle = client.workflow.getHandle(scheduledRideWorkflowId(rideId));
      const request = { ...requestOf((await getRide(rides, rideId))!), scheduledFor };
      await handle.executeUpdate(rideUpdates.reschedule, { args: [{ request }] });
    },
    untilMatching: (rideId: string) =>
      eventually(
        async () => (await getRide(rides, rideId))?.status,
        (status) => status === 'matching',
      ),
    cancel: async (rideId: string) => {
      const handle = client.workflow.getHandle(rideWorkflowId(rideId));
      await handle.executeUpdate(rideUpdates.cancel, { args: [{ by: 'rider', reason: 'test' }] });
      return (await handle.result()) as string;
    },
    /** `hailway-rides.<build id>` of the ride, or of its payment. */
    versionOf: (workflowId: string) =>
      eventually(
        async () => deploymentOf(await client.workflow.getHandle(workflowId).describe()),
        (version) => version !== undefined,
      ),
    saysNext: (rideId: string) =>
      client.workflow
        .getHandle(rideWorkflowId(rideId))
        .query<string>('version')
        .catch(() => 'no such query'),
    /** The server asks a workflow of its own for it, which may take longer than a call on a busy machine. */
    untilStatus: (queue: keyof typeof deployments, buildId: string, wanted: VersionStatus) =>
      eventually(
        () => versionStatus(server, { deploymentName: deployments[queue], buildId }).catch(String),
        (status) => status === wanted,
        60_000,
      ),
    open: (queue: keyof typeof deployments, buildId: string) =>
      openOn(server, { deploymentName: deployments[queue], buildId }),
  };
}

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

const deploymentOf = ({ raw }: WorkflowExecutionDescription) =>
  raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion ?? undefined;

test('a ride stays on the version it began on, new rides begin on the new one, and the old one drains', async () => {
  const { old, next, ...temporal } = await versioned();
  expect(old.buildId).not.toBe(next.buildId);
  await temporal.work('rides', old);
  await temporal.work('payments', old);
  const first = await temporal.request();
  expect(await temporal.versionOf(rideWorkflowId(first))).toEqual({
    deploymentName: 'hailway-rides',
    buildId: old.buildId,
  });
  expect(await temporal.versionOf(paymentWorkflowId(first))).toMatchObject({
    deploymentName: 'hailway-payments',
    buildId: old.buildId,
  });

  // A payment is of another deployment: it takes that one's current version, not its ride's.
  await temporal.work('payments', next);
  const between = await temporal.request();
  expect(await temporal.versionOf(rideWorkflowId(between))).toMatchObject({ buildId: old.buildId });
  expect(await temporal.versionOf(paymentWorkflowId(between))).toMatchObject({ buildId: next.buildId });

  await temporal.work('rides', next);
  const second = await temporal.request();
  expect(await temporal.versionOf(rideWorkflowId(second))).toMatchObject({ buildId: next.buildId });
  expect(await temporal.saysNext(second)).toBe('next');
  expect(await temporal.saysNext(first)).toBe('no such query');
  await temporal.untilStatus('rides', old.buildId, 'draining');
  await temporal.untilStatus('rides', next.buildId, 'current');
  await eventually(
    () => temporal.open('rides', old.buildId),
    (open) => open === 2,
  );

  expect(await temporal.cancel(first)).toBe('cancelled');
  expect(await temporal.cancel(between)).toBe('cancelled');
  expect(await temporal.versionOf(rideWorkflowId(first))).toMatchObject({ buildId: old.buildId });
  await temporal.untilStatus('rides', old.buildId, 'drained');
  expect(await temporal.open('rides', old.buildId)).toBe(0);
  await temporal.untilStatus('rides', next.buildId, 'current');
  await temporal.cancel(second);
}, 240_000);

test('a ride that was scheduled under the old version begins on the new one, which needs the old no more', async () => {
  const { old, next, ...temporal } = await versioned();
  const stopOld = await temporal.work('rides', old);
  await temporal.work('payments', old);
  const rideId = await temporal.schedule(3_600_000);
  expect(await temporal.versionOf(scheduledRideWorkflowId(rideId))).toMatchObject({ buildId: old.buildId });

  await temporal.work('rides', next);
  await stopOld();
  expect(await temporal.open('rides', old.buildId)).toBe(0);
  await temporal.moveTo(rideId, inMs(2_000));
  expect(await temporal.versionOf(scheduledRideWorkflowId(rideId))).toMatchObject({ buildId: next.buildId });
  await temporal.untilMatching(rideId);
  expect(await temporal.versionOf(rideWorkflowId(rideId))).toMatchObject({ buildId: next.buildId });
  expect(await temporal.saysNext(rideId)).toBe('next');
  expect(await temporal.cancel(rideId)).toBe('cancelled');
}, 240_000);
