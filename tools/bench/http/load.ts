import { once } from 'node:events';
import autocannon, { type Client } from 'autocannon';
import type { LoadOrder, LoadTold } from './order';
import { requestsOf } from './requests';

/** autocannon looks so often whether all is answered, in milliseconds: with its own second a run takes whole seconds. */
const LOOK_EVERY_MS = 10;

const tell = (told: LoadTold): Promise<void> =>
  new Promise((resolve) => void process.send!(told, () => resolve()));
const told = async (): Promise<unknown> => ((await once(process, 'message')) as [unknown])[0];

/**
 * The load's process: as many requests as it is told, as fast as they are answered. It does not sleep in between: who sends
 * to a process on the same machine that sleeps has to wake it, which clients far away do not cost.
 */
async function main(): Promise<void> {
  const order = (await told()) as LoadOrder;
  const { url, connections, amount } = order;
  const requests = requestsOf(order);
  const begin = told();
  await tell({ at: 'ready' });
  await begin;
  let connection = 0;
  let startedMs = NaN;
  let isOver = false;
  const stayAwake = (): void => void (isOver || setImmediate(stayAwake));
  stayAwake();
  const result = await autocannon({
    ...{ url, method: 'POST', connections, amount, timeout: 30, sampleInt: LOOK_EVERY_MS },
    /** Called for one connection after another, before any of them sends. */
    setupClient(client: Client) {
      const own = requests.filter((_, n) => n % connections === connection);
      client.setRequests(own);
      connection += 1;
      startedMs = Date.now();
    },
  });
  const stats = Object.entries(result.statusCodeStats ?? {});
  const answers = Object.fromEntries(stats.map(([status, { count }]) => [status, count ?? 0]));
  const ms = Date.now() - startedMs;
  isOver = true;
  await tell({ at: 'end', startedMs, ms, p99Ms: result.latency.p99, answers, errors: result.errors });
  process.disconnect();
}

void main();
