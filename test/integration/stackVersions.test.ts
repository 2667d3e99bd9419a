import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { rideWorkflowId } from '../../domain/names';
import { oldWorkerName } from '../../tools/stack/oldVersions';
import type { Stack } from '../../tools/stack/stack';
import { leftOver } from '../../tools/stack/servers/daemon';
import { eventually } from '../support/backbone';
import { nextWorkflows, writeBundle } from '../support/bundles';
import { stackStory } from '../support/stackStory';
import { newDataDir, startWholeStack } from '../support/wholeStack';

let stack: Stack | undefined;
afterEach(() => stack?.stop());

async function askWorkflow<T>(rideId: string, ask: (workflow: WorkflowHandle) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: stack!.temporalAddress });
  try {
    return await ask(new Client({ connection }).workflow.getHandle(rideWorkflowId(rideId)));
  } finally {
    await connection.close();
  }
}

/** The build id of the version that carries a ride. */
const versionOf = (rideId: string): Promise<string | undefined> =>
  askWorkflow(rideId, async (workflow) => {
    const { raw } = await workflow.describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
  });

/** What the web UI's tab "Call Stack" shows. */
const callStackOf = (rideId: string): Promise<string> =>
  askWorkflow(rideId, (workflow) => workflow.query<string>('__stack_trace'));

test('a start after a change of code carries open rides on the code they began with, until they are over', async () => {
  const dataDir = newDataDir();
  stack = await startWholeStack({ dataDir });
  const before = stack.buildId;
  const first = await stackStory(stack).ride('ann');
  expect(await versionOf(first)).toBe(before);
  await expect(callStackOf(first)).rejects.toThrow('stack traces are not enabled on this worker');
  await stack.stop();

  const said: string[] = [];
  const say = {
    line: (text: string) => void said.push(text),
    during: <T>(_: string, work: () => T) => work(),
  };
  const workflowBundle = await writeBundle(nextWorkflows, join(dataDir, 'next.js'));
  stack = await startWholeStack({ dataDir, workflowBundle, say: say as never });
  expect(stack.buildId).not.toBe(before);
  const story = stackStory(stack);
  const second = await story.ride('bob');
  expect(await versionOf(second)).toBe(stack.buildId);

  const oldWorker = oldWorkerName('rides', before);
  await eventually(() => leftOver(dataDir, oldWorker), Boolean);
  // It is looked after as every process is.
  await stack.process(oldWorker).untilReady();
  stack.process(oldWorker).kill();
  await eventually(
    () => stack!.process(oldWorker).restarts(),
    (restarts) => restarts > 0,
  );
  await story.insist('POST', `/v1/rides/${first}/cancel`, ['rider', 'ann'], {});
  await story.untilRide(first, 'ann', ['cancelled']);
  expect(await versionOf(first)).toBe(before);

  await eventually(
    () => said,
    (lines) => lines.includes(`${oldWorker} is drained and stopped`),
    60_000,
  );
  expect(leftOver(dataDir, oldWorker)).toBeUndefined();
  await eventually(
    () => readdir(join(dataDir, 'bundles')),
    (files) => !files.includes(`${before}.js`),
    60_000,
  );
  expect((await story.untilRide(second, 'bob', ['matching'])).status).toBe('matching');
}, 240_000);
