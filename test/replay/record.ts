import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { ownNamespace } from '../support/apiGround';
import { eventually, startRideSaga, type RideSaga } from '../support/rideSaga';
import { existingEnvironment } from '../support/servers';
import { historiesDir, rideCarriers, writeHistories, type Carrier } from './histories';
import { laterWays, startLaterScene, type LaterScene } from './laterWays';
import { moneyWays, startMoneyScene, type MoneyScene } from './moneyWays';
import { ways } from './ways';

/**
 * `npm run histories`: takes rides on every way to their end, on a real server, and writes their histories. Not one of
 * the tests: it is run when a way is added, or when the workflows were changed on purpose.
 */
let saga: RideSaga;
let scene: MoneyScene;
let later: LaterScene;
beforeAll(async () => {
  saga = await startRideSaga(await existingEnvironment(await ownNamespace()));
  scene = await startMoneyScene();
  later = await startLaterScene();
  mkdirSync(historiesDir, { recursive: true });
});
afterAll(async () => {
  await saga?.stop();
  await scene?.ground.stop();
  await later?.stop();
});

test.each(Object.entries(ways))('%s', async (name, way) => {
  const rideId = await way(saga);
  const histories = await Promise.all(
    Object.entries(rideCarriers).map(async ([carrier, workflowId]) => {
      const history = await historyOnceOver(workflowId(rideId));
      return history ? [[carrier as Carrier, history] as const] : [];
    }),
  );
  writeHistories(name, histories.flat());
});

test.each(Object.entries(moneyWays))('%s', async (name, way) => write(name, await way(scene)));
test.each(Object.entries(laterWays))('%s', async (name, way) => write(name, await way(later)));

async function write(name: string, kept: Partial<Record<Carrier, WorkflowHandle>>): Promise<void> {
  const histories = Object.entries(kept).map(
    async ([carrier, handle]) => [carrier as Carrier, await handle.fetchHistory()] as const,
  );
  writeHistories(name, await Promise.all(histories));
}

async function historyOnceOver(workflowId: string): Promise<History | undefined> {
  const handle = saga.client.workflow.getHandle(workflowId);
  try {
    await eventually(
      async () => ((await handle.describe()).status.name === 'RUNNING' ? undefined : true),
      20_000,
    );
    return await handle.fetchHistory();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

test('ways that are no more', () => {
  const gone = readdirSync(historiesDir).filter(
    (file) => !(file.replace(/\.json$/, '') in { ...ways, ...moneyWays, ...laterWays }),
  );
  for (const file of gone) rmSync(join(historiesDir, file));
});
