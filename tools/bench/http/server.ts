import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import { MOST_OF_A_DRIVER } from '../../../contracts/api/positions';
import { problemPages } from '../../../contracts/api/problems';
import { createRegions } from '../../../domain/regions';
import { createVerifier, rememberCallers } from '../../../platform/auth';
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
  type ReadPositions,
} from '../../../services/gateway/ingest/readJson';
import { ingestRoutes } from '../../../services/gateway/ingest/routes';
import { createPositionBuffer, type PositionBuffer } from '../../../services/gateway/positions';
import type { HttpOrder, HttpTold } from './order';

/**
 * A contestant's process: it serves `POST /v1/drivers/me/positions`, counts what it takes, and tells that when it is told
 * to end. All read and check positions with the same code, and answer the same.
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
const whose = () => ({ driverId, most: MOST_OF_A_DRIVER, nowMs: Date.now() });

function take({ good, bad }: ReadPositions): { status: number; body: object } {
  if (bad.length > 0) return { status: 400, body: { code: 'validation_failed', errors: bad } };
  counting.offer(good);
  return { status: 202, body: { taken: good.length, refused: 0, errors: [] } };
}

function serveRaw(): Promise<Served> {
  const answer = (res: ServerResponse, { status, body }: ReturnType<typeof take>): void => {
    const text = JSON.stringify(body);
    res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    res.end(text);
  };
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => void chunks.push(chunk));
    req.on('end', () => {
      try {
        answer(res, take(readJsonPositions(Buffer.concat(chunks), whose())));
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        answer(res, { status: 400, body: { code: error.code } });
      }
    });
  };
  return listenTo(createServer(handle));
}

function serveExpress(): Promise<Served> {
  const app = express();
  app.use(express.json());
  app.post('/v1/drivers/me/positions', (req, res) => {
    const { status, body } = take(readPositions(req.body, whose()));
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
  const drivers = createPool(order.databaseUrl, { applicationName: 'gateway-positions', max: AT_ONCE, log });
  const app = createHttpApp({
    ...{ log, metrics: createMetrics('bench'), problems: problemPages, ready: {} },
    direct: {
      routes: ingestRoutes({
        positions: sink.positions,
        drivers: new KnownDrivers(drivers),
        now: Date.now,
      }),
      verify: rememberCallers(createVerifier(order.tokens)),
      budgetBytes: 32 * 1_024 * 1_024,
    },
  });
  const { port } = await listen(app, { port: 0, portVariable: '' });
  return {
    port,
    async finish() {
      await sink.finish();
      await drivers.end();
    },
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
  const served = await { raw: serveRaw, express: serveExpress, hailway: serveHailway }[order.contestant]();
  const tell = (told: HttpTold): void => void process.send!(told);
  process.once('message', () => {
    void served.finish().then(() => {
      const { user, system } = process.cpuUsage();
      tell({ at: 'end', taken, dropped, cpuUs: user + system });
      process.disconnect();
      process.exit(0);
    });
  });
  tell({ at: 'listening', port: served.port });
}

void main();
