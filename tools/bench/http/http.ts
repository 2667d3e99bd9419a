import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { positionsMediaType } from '../../../contracts/api/positions';
import { PositionWriter } from '../../../contracts/positionWriter';
import { createKafka, createTopics } from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import { audience, issuerName, openIssuer, type Issuer } from '../../stack/issuer';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, spreadOf, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { startBenchServers, type BenchServers } from '../servers';
import type { HttpOrder, HttpTold, LoadOrder, LoadTold } from './order';

const REQUESTS_A_ROUND = 40_000;
const WARM_UP = 4_000;
const CONNECTIONS = 32;
/** What a driver's app sends at once. */
const POSITIONS_A_REQUEST = 10;
/** What a fleet sends at once, and how many such requests go through the broker a round. */
const POSITIONS_A_FLEET = 500;
const FLEETS_PART = 40;
/** What is to be reached. */
const LEAST_TO_RAW = 0.8;
const LEAST_UPDATES = 50_000;

/**
 * The door for drivers' positions, as fast as it answers: raw node:http and plain Express with the same validation, and
 * Hailway, which looks at tokens, registrations, ids and metrics beside. Each in a process of its own, and so is the load.
 * `httpUpdatesPerSecond` is the fleets' door in the binary form with all behind it: until the last position is
 * acknowledged by the broker (acks=all).
 */
export async function benchHttp(
  { rounds, size = REQUESTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const servers = await say.during('Starting kafka', () => startBenchServers(['kafka'], say));
  const checks = new Checks();
  try {
    const issuer = await openIssuer(servers.dataDir);
    const contestant = (name: HttpOrder['contestant']) => () => oneRound(name, { issuer, size, checks });
    const seen = await inRounds(
      { raw: contestant('raw'), express: contestant('express'), hailway: contestant('hailway') },
      rounds,
      (text) => say.line(text),
    );
    const updates: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const perSecond = await updatesOverHttp(servers, { requests: size / FLEETS_PART, round, checks });
      updates.push(perSecond);
      say.line(`round ${round} of ${rounds}: ${rounded(perSecond)} updates a second through the broker`);
    }
    const ratios = { ...ratiosTo('raw', seen), ...ratiosTo('express', seen) };
    const httpUpdatesPerSecond = spreadOf(updates).median;
    checks.note('atLeastFourFifthsOfRaw', ratios['hailway/raw']! >= LEAST_TO_RAW);
    checks.note(`atLeast${LEAST_UPDATES}UpdatesPerSecond`, httpUpdatesPerSecond >= LEAST_UPDATES);
    return {
      ...{ bench: 'http', rounds, contestants: seen, ratios, checks: checks.all },
      figures: {
        p99Ms: seen['hailway']!['p99Ms']!.median,
        httpUpdatesPerSecond,
        positionsPerRequest: POSITIONS_A_REQUEST,
        positionsPerFleetsRequest: POSITIONS_A_FLEET,
      },
    };
  } finally {
    await servers.stop();
  }
}

interface Ground {
  readonly issuer: Issuer;
  readonly checks: Checks;
}

const tokensOf = ({ jwksPath }: Issuer): HttpOrder['tokens'] => ({
  ...{ jwks: jwksPath, issuer: issuerName, audience },
});

/** Requests of one driver, all alike: what is the same again is taken again. */
async function oneRound(
  contestant: HttpOrder['contestant'],
  { issuer, size, checks }: Ground & { size: number },
): Promise<Metrics> {
  const server = await startServer({ contestant, tokens: tokensOf(issuer), kafka: null });
  const at = new Date().toISOString();
  const positions = Array.from({ length: POSITIONS_A_REQUEST }, (_, n) => ({
    ...{ lat: 40.7 + n / 1e4, lng: -73.9 - n / 1e4, sequence: 1_000 + n, at },
  }));
  const load = {
    url: `http://127.0.0.1:${server.port}/v1/drivers/me/positions`,
    headers: {
      authorization: `Bearer ${await issuer.mintToken({ role: 'driver', sub: 'driver-1' })}`,
      'content-type': 'application/json',
    },
    body: Buffer.from(JSON.stringify({ positions })).toString('base64'),
    connections: CONNECTIONS,
  };
  const bad = [positions[0], { ...positions[1], lat: 91 }];
  const refusal = await fetch(load.url, {
    ...{ method: 'POST', headers: load.headers, body: JSON.stringify({ positions: bad }) },
  });
  const answer = (await refusal.json()) as { errors: { pointer: string }[] };
  checks.note(`${contestant}RefusesTheBad`, answer.errors[0]?.pointer === '/positions/1/lat');
  await runLoad({ ...load, amount: WARM_UP });
  const run = await runLoad({ ...load, amount: size });
  const { taken, cpuUs } = await server.end();
  checks.note(
    `${contestant}TakesAll`,
    taken === (WARM_UP + size) * POSITIONS_A_REQUEST && run.answers['202'] === size,
  );
  return {
    requestsPerSecond: (size * 1_000) / run.ms,
    p99Ms: run.p99Ms,
    cpuUsPerRequest: cpuUs / (WARM_UP + size),
  };
}

/**
 * The fleets' door in the binary form with all behind it.
 * @returns positions a second, from the first request until the broker has acknowledged the last
 */
export async function updatesOverHttp(
  { kafkaBroker, dataDir }: Pick<BenchServers, 'kafkaBroker' | 'dataDir'>,
  { requests, round, checks }: { requests: number; round: number; checks: Checks },
): Promise<number> {
  const issuer = await openIssuer(dataDir);
  const topic = `bench-positions-${round}`;
  const log = createLogger('bench', 'warn');
  await createTopics(createKafka({ clientId: 'bench', brokers: [kafkaBroker], log }), [
    { topic, partitions: 6 },
  ]);
  const server = await startServer({
    ...{ contestant: 'hailway', tokens: tokensOf(issuer), kafka: { brokers: [kafkaBroker], topic } },
  });
  const nowMs = Date.now();
  const writer = new PositionWriter(nowMs);
  for (let n = 0; n < POSITIONS_A_FLEET; n += 1)
    writer.add({
      driverId: `driver-${n}`,
      lat: 40.6 + n / 2_000,
      lng: -73.9 - n / 2_000,
      sequence: nowMs,
      atMs: nowMs,
    });
  const load = {
    url: `http://127.0.0.1:${server.port}/v1/fleet/positions`,
    headers: {
      authorization: `Bearer ${await issuer.mintToken({ role: 'fleet', sub: 'fleet-1' })}`,
      'content-type': positionsMediaType,
    },
    body: Buffer.from(writer.finish()).toString('base64'),
    connections: 4,
  };
  await runLoad({ ...load, amount: 50 });
  const startedAt = performance.now();
  const { answers, errors } = await runLoad({ ...load, amount: requests });
  const { taken, dropped } = await server.end();
  const seconds = (performance.now() - startedAt) / 1_000;
  const timed = (answers['202'] ?? 0) * POSITIONS_A_FLEET;
  checks.note(
    'everyAnswerIsTakenOrLater',
    (answers['202'] ?? 0) + (answers['429'] ?? 0) === requests && errors === 0,
  );
  checks.note('allThatIsTakenIsAcknowledged', dropped === 0 && taken >= timed);
  return timed / seconds;
}

async function startServer(order: HttpOrder) {
  const child = fork(join(__dirname, 'server.js'), [JSON.stringify(order)], {
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  const told = await next<HttpTold>(child);
  if (told.at !== 'listening') throw new Error('impossible: it ended before it began');
  return {
    port: told.port,
    async end() {
      child.send('end');
      const end = await next<HttpTold>(child);
      if (end.at !== 'end') throw new Error('impossible: it began twice');
      return end;
    },
  };
}

async function runLoad(order: LoadOrder): Promise<LoadTold> {
  return next<LoadTold>(
    fork(join(__dirname, 'load.js'), [JSON.stringify(order)], {
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    }),
  );
}

async function next<T>(child: ChildProcess): Promise<T> {
  const gone = new AbortController();
  const { signal } = gone;
  const exit = once(child, 'exit', { signal }).then(() => {
    throw new Error('a process of the bench has ended too soon');
  });
  try {
    const [told] = (await Promise.race([once(child, 'message', { signal }), exit])) as [T];
    return told;
  } finally {
    gone.abort();
    exit.catch(() => {});
  }
}
