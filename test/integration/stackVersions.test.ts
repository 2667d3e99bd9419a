import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { rideWorkflowId } from '../../domain/names';
import { oldWorkerName } from '../../tools/stack/oldVersions';
import { takePart } from '../../tools/stack/parts/part';
import { temporalSource } from '../../tools/stack/parts/temporal';
import { silent, type Say } from '../../tools/stack/say';
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

/** What a start says on screen. */
function listener(): { said: string[]; say: Say } {
  const said: string[] = [];
  return { said, say: { ...silent, line: (text) => void said.push(text) } };
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

  const { said, say } = listener();
  const workflowBundle = await writeBundle(nextWorkflows, join(dataDir, 'next.js'));
  stack = await startWholeStack({ dataDir, workflowBundle, say });
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

test('a start without the code that open rides are pinned to names them, and the command that it says frees them', async () => {
  const dataDir = newDataDir();
  stack = await startWholeStack({ dataDir });
  const before = stack.buildId;
  const stranded = await stackStory(stack).ride('ann');
  await stack.stop();
  await rm(join(dataDir, 'bundles', `${before}.js`));

  const { said, say } = listener();
  const workflowBundle = await writeBundle(nextWorkflows, join(dataDir, 'next.js'));
  stack = await startWholeStack({ dataDir, workflowBundle, say });
  const [line] = await eventually(
    () => said.filter((text) => text.includes('is not kept here')),
    (lines) => lines.length > 0,
  );
  expect(line).toContain(
    `1 rides wait for version ${before}, whose code is not kept here: ride-${stranded}. `,
  );
  const search = { env: { ...process.env, TEMPORAL_ADDRESS: '' }, say: silent };
  const temporal = (await takePart(temporalSource(search), search)) as { binary: string };
  expect(await versionOf(stranded)).toBe(before);
  const [, command] = /\n {2}temporal (.+)/.exec(line!)!;
  await promisify(execFile)('sh', ['-c', `${temporal.binary} ${command} --yes`]);
  const story = stackStory(stack);
  await story.insist('POST', `/v1/rides/${stranded}/cancel`, ['rider', 'ann'], {});
  await story.untilRide(stranded, 'ann', ['cancelled']);
}, 240_000);
