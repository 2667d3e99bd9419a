import { createKafka, createTopics } from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import { audience, issuerName, openIssuer, type Issuer } from '../../stack/issuer';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, spreadOf, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { startBenchServers, type BenchServers } from '../servers';
import { runLoad, startServer } from './children';
import type { HttpOrder, LoadOrder } from './order';
import { withRegistered } from './registered';
import { driverIdOf, FLEET, POSITIONS_A_FLEET, POSITIONS_A_REQUEST, positionsOfDriver } from './requests';

const REQUESTS_A_ROUND = 40_000;
const WARM_UP = 10_000;
const CONNECTIONS = 32;
/** Drivers at their own doors. All have sent before it is measured: a token that was good is good for a minute (platform/auth.ts). */
const SENDERS = 3_200;
/** Of requests at a driver's door so many are one at the fleets', through the broker. */
const FLEETS_PART = 40;
const FLEETS_WARM_UP = 50;
const FLEETS_CONNECTIONS = 4;
/** What is to be reached. */
const LEAST_TO_RAW = 0.8;
const LEAST_UPDATES = 50_000;

/**
 * The door for drivers' positions, as fast as it answers: raw node:http and plain Express with the same validation (of the
 * token, the registration and the positions), and Hailway, which has bounds for bodies, ids, problems and metrics beside.
 * `bare` is node:http that takes positions from anybody. Each in a process of its own, and so is the load, which has its
 * requests before the first goes out: no two are the same, and all contestants get the same ones.
 * `httpUpdatesPerSecond` is the fleets' door in the binary form with all behind it: until the last position is
 * acknowledged by the broker (acks=all). Drivers are looked up in a real Postgres, where 200,000 have registered. Most of
 * the fleet's are not known before: a third of its positions are looked up, where all day it is one in fifteen.
 */
export async function benchHttp(
  { rounds, size = REQUESTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const servers = await say.during('Starting kafka', () => startBenchServers(['kafka'], say));
  try {
    return await withRegistered(servers, (databaseUrl) =>
      measure(servers, databaseUrl, { rounds, size, say }),
    );
  } finally {
    await servers.stop();
  }
}

async function measure(
  servers: BenchServers,
  databaseUrl: string,
  { rounds, size, say }: { rounds: number; size: number; say: Say },
): Promise<BenchResult> {
  const checks = new Checks();
  const issuer = await openIssuer(servers.dataDir);
  const ids = Array.from({ length: SENDERS }, (_, n) => driverIdOf(n));
  const tokens = await Promise.all(ids.map((sub) => issuer.mintToken({ role: 'driver', sub })));
  const ground = { issuer, databaseUrl, tokens, atMs: Date.now(), size, checks };
  const contestant = (name: HttpOrder['contestant']) => () => oneRound(name, ground);
  const seen = await inRounds(
    {
      bare: contestant('bare'),
      raw: contestant('raw'),
      express: contestant('express'),
      hailway: contestant('hailway'),
    },
    rounds,
    (text) => say.line(text),
  );
  const updates: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const requests = Math.ceil(size / FLEETS_PART);
    const perSecond = await updatesWith(databaseUrl, servers, { requests, round, checks });
    updates.push(perSecond);
    say.line(`round ${round} of ${rounds}: ${rounded(perSecond)} updates a second through the broker`);
  }
  const ratios = { ...ratiosTo('raw', seen), ...ratiosTo('express', seen), ...ratiosTo('bare', seen) };
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
}

interface Ground {
  readonly issuer: Issuer;
  readonly databaseUrl: string;
  /** Of drivers, who take turns. */
  readonly tokens: readonly string[];
  readonly atMs: number;
  /** Requests. */
  readonly size: number;
  readonly checks: Checks;
}

const tokensOf = ({ jwksPath }: Issuer): HttpOrder['tokens'] => ({
  ...{ jwks: jwksPath, issuer: issuerName, audience },
});

async function oneRound(
  contestant: HttpOrder['contestant'],
  { issuer, databaseUrl, tokens, atMs, size, checks }: Ground,
): Promise<Metrics> {
  const server = await startServer({ contestant, tokens: tokensOf(issuer), databaseUrl, kafka: null });
  const url = `http://127.0.0.1:${server.port}/v1/drivers/me/positions`;
  const [position, other] = positionsOfDriver(0, atMs);
  const refusal = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens[0]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ positions: [position, { ...other, lat: 91 }] }),
  });
  const answer = (await refusal.json()) as { errors: { pointer: string }[] };
  checks.note(`${contestant}RefusesTheBad`, answer.errors[0]?.pointer === '/positions/1/lat');
  const load = { url, connections: CONNECTIONS, senders: { are: 'drivers', tokens }, atMs } as const;
  await runLoad({ ...load, first: 0, amount: WARM_UP });
  const run = await runLoad({ ...load, first: WARM_UP, amount: size });
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

interface Updates {
  readonly requests: number;
  readonly round: number;
  readonly checks: Checks;
}

/**
 * The fleets' door in the binary form with all behind it.
 * @returns positions a second, from the first request until the broker has acknowledged the last
 */
export function updatesOverHttp(
  servers: Pick<BenchServers, 'kafkaBroker' | 'dataDir' | 'ports'>,
  updates: Updates,
): Promise<number> {
  return withRegistered(servers, (databaseUrl) => updatesWith(databaseUrl, servers, updates));
}

async function updatesWith(
  databaseUrl: string,
  { kafkaBroker, dataDir }: Pick<BenchServers, 'kafkaBroker' | 'dataDir'>,
  { requests, round, checks }: Updates,
): Promise<number> {
  const issuer = await openIssuer(dataDir);
  const topic = `bench-positions-${round}`;
  const log = createLogger('bench', 'warn');
  await createTopics(createKafka({ clientId: 'bench', brokers: [kafkaBroker], log }), [
    { topic, partitions: 6 },
  ]);
  const kafka = { brokers: [kafkaBroker], topic };
  const server = await startServer({ contestant: 'hailway', tokens: tokensOf(issuer), databaseUrl, kafka });
  const load: Omit<LoadOrder, 'first' | 'amount'> = {
    url: `http://127.0.0.1:${server.port}/v1/fleet/positions`,
    connections: FLEETS_CONNECTIONS,
    senders: { are: 'fleet', token: await issuer.mintToken({ role: 'fleet', sub: FLEET }) },
    atMs: Date.now(),
  };
  await runLoad({ ...load, first: 0, amount: FLEETS_WARM_UP });
  const { startedMs, answers, errors } = await runLoad({ ...load, first: FLEETS_WARM_UP, amount: requests });
  const { taken, dropped } = await server.end();
  const seconds = (Date.now() - startedMs) / 1_000;
  const timed = (answers['202'] ?? 0) * POSITIONS_A_FLEET;
  checks.note(
    'everyAnswerIsTakenOrLater',
    (answers['202'] ?? 0) + (answers['429'] ?? 0) === requests && errors === 0,
  );
  checks.note('allThatIsTakenIsAcknowledged', dropped === 0 && taken >= timed);
  return timed / seconds;
}
