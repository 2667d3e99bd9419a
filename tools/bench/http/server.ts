import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import { driverOperations } from '../../../contracts/api/driverOperations';
import { MOST_OF_A_DRIVER } from '../../../contracts/api/positions';
import { problemPages } from '../../../contracts/api/problems';
import { createRegions } from '../../../domain/regions';
import { createVerifier, rememberCallers } from '../../../platform/auth';
import { bearerOf, checkRole } from '../../../platform/http/bearer';
import { CodedError } from '../../../platform/errors';
import { createHttpApp, listen } from '../../../platform/http';
import { createFactProducer, createKafka } from '../../../platform/kafka';
import { createLogger } from '../../../platform/log';
import { createMetrics } from '../../../platform/metrics';
import { createPool } from '../../../platform/postgres';
import { AT_ONCE, KnownDrivers } from '../../../services/gateway/ingest/knownDrivers';
import {
  readJsonPositions,
  readPositions,
  type ReadingOptions,
  type ReadPositions,
} from '../../../services/gateway/ingest/readJson';
import { ingestRoutes } from '../../../services/gateway/ingest/routes';
import { createPositionBuffer, type PositionBuffer } from '../../../services/gateway/positions';
import type { HttpOrder, HttpTold } from './order';

/**
 * A contestant's process: it serves `POST /v1/drivers/me/positions`, counts what it takes, and tells that when it is told
 * to end. All read and check positions with the same code, and all but `bare` tokens and registrations, and answer the same.
 */
const order = JSON.parse(process.argv[2] ?? '') as HttpOrder;
const log = createLogger('bench', 'info');
/** Whose positions those are to whom all callers are the same. */
const driverId = 'driver-1';
/** As the gateway has it by default. */
const REGION_METERS = 100_000;
let taken = 0;
let dropped = 0;

const counting: Pick<PositionBuffer, 'offer' | 'isFull'> = {
  isFull: () => false,
  offer(positions) {
    taken += positions.length;
    return true;
  },
};

interface Served {
  readonly port: number;
  /** What was taken is where it should be after this. */
  finish(): Promise<void>;
}

const nothingLeft = (): Promise<void> => Promise.resolve();
const verify = rememberCallers(createVerifier(order.tokens));
const pool = createPool(order.databaseUrl, { applicationName: 'gateway-positions', max: AT_ONCE, log });
const drivers = new KnownDrivers(pool);

type Read = (whose: ReadingOptions) => ReadPositions;
interface Answer {
  readonly status: number;
  readonly body: object;
}

const ownOf = (driverId: string): ReadingOptions => ({
  ...{ driverId, most: MOST_OF_A_DRIVER, nowMs: Date.now() },
});

function take({ good, bad }: ReadPositions): Answer {
  if (bad.length > 0) return { status: 400, body: { code: 'validation_failed', errors: bad } };
  counting.offer(good);
  return { status: 202, body: { taken: good.length, refused: 0, errors: [] } };
}

/** Whoever sends is taken for the same driver. */
const answerAnybody = (_authorization: string | undefined, read: Read): Answer => take(read(ownOf(driverId)));

/** Who sends has a good token and has registered, as Hailway looks at it. */
async function answerRegistered(authorization: string | undefined, read: Read): Promise<Answer> {
  const caller = await verify(bearerOf(authorization));
  checkRole(caller, driverOperations.sendPositions.roles);
  const positions = read(ownOf(caller.sub));
  await drivers.lookUp([caller.sub]);
  if (drivers.fleetOf(caller.sub) === undefined) return { status: 403, body: { code: 'driver_unknown' } };
  return take(positions);
}

function serveRaw(answerTo: typeof answerAnybody | typeof answerRegistered): Promise<Served> {
  const send = (res: ServerResponse, { status, body }: Answer): void => {
    const text = JSON.stringify(body);
    res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    res.end(text);
  };
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const refuse = (error: unknown): void => {
      if (!(error instanceof CodedError)) throw error;
      send(res, { status: 400, body: { code: error.code } });
    };
    req.on('data', (chunk: Buffer) => void chunks.push(chunk));
    req.on('end', () => {
      try {
        const answer = answerTo(req.headers.authorization, (whose) =>
          readJsonPositions(Buffer.concat(chunks), whose),
        );
        if (answer instanceof Promise) answer.then((known) => send(res, known)).catch(refuse);
        else send(res, answer);
      } catch (error) {
        refuse(error);
      }
    });
  };
  return listenTo(createServer(handle));
}

function serveExpress(): Promise<Served> {
  const app = express();
  app.use(express.json());
  app.post('/v1/drivers/me/positions', async (req, res) => {
    const { status, body } = await answerRegistered(req.headers.authorization, (whose) =>
      readPositions(req.body, whose),
    );
    res.status(status).json(body);
  });
  return listenTo(createServer(app));
}

function listenTo(server: ReturnType<typeof createServer>): Promise<Served> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({ port: (server.address() as { port: number }).port, finish: nothingLeft }),
    ),
  );
}

async function serveHailway(): Promise<Served> {
  const sink = order.kafka === null ? { positions: counting, finish: nothingLeft } : toKafka(order.kafka);
  const app = createHttpApp({
    ...{ log, metrics: createMetrics('bench'), problems: problemPages, ready: {} },
    direct: {
      routes: ingestRoutes({
        positions: sink.positions,
        drivers,
        now: Date.now,
      }),
      verify,
      budgetBytes: 32 * 1_024 * 1_024,
    },
  });
  const { port } = await listen(app, { port: 0, portVariable: '' });
  return {
    port,
    finish: sink.finish,
  };
}

/** As the gateway does it. */
function toKafka({ brokers, topic }: NonNullable<HttpOrder['kafka']>) {
  const producer = createFactProducer(createKafka({ clientId: 'bench', brokers, log }), { log });
  const buffer = createPositionBuffer({
    producer,
    topic,
    regions: createRegions(REGION_METERS),
    log: { warn: () => void (dropped += 1) },
  });
  const stopping = new AbortController();
  const running = buffer.run(stopping.signal);
  return {
    positions: {
      isFull: () => buffer.isFull(),
      offer: (some: Parameters<PositionBuffer['offer']>[0]) => buffer.offer(some) && counting.offer(some),
    },
    async finish() {
      stopping.abort();
      await running;
      await producer.disconnect();
    },
  };
}

async function main(): Promise<void> {
  const served = await {
    bare: () => serveRaw(answerAnybody),
    raw: () => serveRaw(answerRegistered),
    express: serveExpress,
    hailway: serveHailway,
  }[order.contestant]();
  const tell = (told: HttpTold): void => void process.send!(told);
  process.once('message', () => {
    void served.finish().then(async () => {
      await pool.end();
      const { user, system } = process.cpuUsage();
      tell({ at: 'end', taken, dropped, cpuUs: user + system });
      process.disconnect();
      process.exit(0);
    });
  });
  tell({ at: 'listening', port: served.port });
}

void main();
