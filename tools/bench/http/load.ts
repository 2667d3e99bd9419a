import autocannon from 'autocannon';
import type { LoadOrder, LoadTold } from './order';

/** autocannon looks so often whether all is answered, in milliseconds: with its own second a run takes whole seconds. */
const LOOK_EVERY_MS = 10;

/** The load's process: as many requests as it is told, as fast as they are answered. */
async function main({ url, headers, body, connections, amount }: LoadOrder): Promise<void> {
  const startedAt = performance.now();
  const result = await autocannon({
    ...{ url, method: 'POST', headers: { ...headers }, body: Buffer.from(body, 'base64') },
    ...{ connections, amount, timeout: 30, sampleInt: LOOK_EVERY_MS },
  });
  const ms = performance.now() - startedAt;
  const stats = Object.entries(result.statusCodeStats ?? {});
  const answers = Object.fromEntries(stats.map(([status, { count }]) => [status, count ?? 0]));
  const told: LoadTold = { ms, p99Ms: result.latency.p99, answers, errors: result.errors };
  process.send!(told, () => process.disconnect());
}

void main(JSON.parse(process.argv[2] ?? '') as LoadOrder);
