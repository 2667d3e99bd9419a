import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { foldRide } from '../../../domain/foldRide';
import type { Ride, RideFact } from '../../../domain/ride';
import { recordStep } from '../../../platform/outbox';
import { createPool, withTransaction, type Pool } from '../../../platform/postgres';
import { wait } from '../../../platform/wait';
import { lockRide, putRide } from '../../../services/rides/store';
import { openIssuer, type Issuer } from '../../../tools/stack/issuer';
import { freePorts } from '../../../tools/stack/ports';
import { eventually } from '../backbone';
import { offerId, rideRequest } from '../rides';
import { createDatabase, kafkaBrokers, temporalAddress } from '../servers';
import type { Order } from './readers';

/** A gateway and readers of its event streams, each in a process of its own, on a rides database with no workflows. */

const typescript = ['-r', join(__dirname, '../typescript.cjs')];

export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

export class StreamGround {
  private readonly children: ChildProcess[] = [];
  private gateway: ChildProcess | undefined;
  private readonly readers = this.fork('test/support/streams/readers.ts');

  private constructor(
    readonly pool: Pool,
    private readonly databaseUrl: string,
    private readonly issuer: Issuer,
    private readonly port: number,
    private readonly token: string,
  ) {}

  static async start(): Promise<StreamGround> {
    const url = await createDatabase('rides');
    const issuer = await openIssuer(await mkdtemp(join(process.env.HAILWAY_TEST_DIR!, 'streams-')));
    const token = await issuer.mintToken({ role: 'operator', sub: 'op-1' });
    const { gateway: port } = await freePorts();
    const pool = createPool(url, { applicationName: 'stream test' });
    return new StreamGround(pool, url, issuer, port, token);
  }

  async startGateway(): Promise<void> {
    const probe = join(__dirname, 'memoryProbe.cjs');
    this.gateway = this.fork(
      'services/gateway/main.ts',
      // As tools/stack/processes.ts starts it.
      ['--expose-gc', '--max-old-space-size=256', '--max-semi-space-size=8', '-r', probe],
      {
        RIDES_DATABASE_URL: this.databaseUrl,
        AUTH_JWKS: this.issuer.jwksPath,
        KAFKA_BROKERS: kafkaBrokers().join(),
        TEMPORAL_ADDRESS: temporalAddress(),
        HAILWAY_GATEWAY_PORT: String(this.port),
        PERSONAL_KEYS: 'test:the-secret-that-wraps-the-keys-of-people',
        QUOTE_SECRET: 'the secret of the quotes',
        RIDE_CODE_SECRET: 'the secret of the codes',
        LOG_LEVEL: 'error',
      },
    );
    const ready = () =>
      fetch(`http://127.0.0.1:${this.port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually(ready, (is) => is, 60_000);
  }

  async killGateway(): Promise<void> {
    const gone = once(this.gateway!, 'exit');
    this.gateway!.kill('SIGKILL');
    await gone;
  }

  memory(): Promise<Memory> {
    return ask<Memory>(this.gateway!, 'memory');
  }

  /** Opens a stream of each ride, after the last event it has seen; resolves to how many were answered how. */
  open(rideIds: readonly string[]): Promise<Record<string, number>> {
    const { port, token } = this;
    return this.order({ open: rideIds.map(pathOf), port, token });
  }

  async closeAll(): Promise<void> {
    await this.order({ closeAll: true });
  }

  /** The ids of the events that each ride's stream has brought, over all its connections. */
  async seen(rideIds: readonly string[]): Promise<number[][]> {
    const seen = await this.order<Record<string, number[]>>({ seen: rideIds.map(pathOf) });
    return rideIds.map((rideId) => seen[pathOf(rideId)]!);
  }

  async stop(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await this.pool.end();
  }

  private order<T = Record<string, number>>(order: Order): Promise<T> {
    return ask<T>(this.readers, order);
  }

  private fork(entry: string, execArgv: string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = fork(join(__dirname, '../../..', entry), {
      execArgv: [...execArgv, ...typescript],
      env: { ...process.env, ...env },
    });
    this.children.push(child);
    return child;
  }
}

const pathOf = (rideId: string): string => `/v1/rides/${rideId}/events`;

async function ask<T>(child: ChildProcess, message: Order | 'memory'): Promise<T> {
  const answer = once(child, 'message');
  child.send(message);
  return ((await answer) as [T])[0];
}

/** Files that a process may have open, its connections among them. */
export const openFilesLimit = (): number => {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Infinity : Number(limit);
};

/** So many rides that look for a driver, at version 2. */
export async function matchingRides(pool: Pool, count: number): Promise<string[]> {
  const rideIds = Array.from({ length: count }, () => uuidv7());
  for (let from = 0; from < count; from += 1_000) {
    const some = rideIds.slice(from, from + 1_000);
    const at = new Date().toISOString();
    const histories = some.map((rideId): RideFact[] => [
      { type: 'ride.requested', at, data: rideRequest({ rideId }) },
      { type: 'ride.matching_started', at, data: {} },
    ]);
    const states = histories.map((facts) => facts.reduce<Ride | null>(foldRide, null));
    await pool.query(
      `insert into rides (ride_id, version, state)
       select id, 2, state from unnest($1::uuid[], $2::jsonb[]) as made (id, state)`,
      [some, states.map((state) => JSON.stringify(state))],
    );
    for (const version of [1, 2]) {
      const facts = histories.map((history) => history[version - 1]!);
      await pool.query(
        `insert into steps (step_id, aggregate_id, version, fact_type, fact)
         select id || '/' || $2::int, id, $2::int, $3, fact from unnest($1::text[], $4::jsonb[]) as made (id, fact)`,
        [some, version, facts[0]!.type, facts.map((fact) => JSON.stringify(fact))],
      );
    }
  }
  return rideIds;
}

/** The ride's next fact: a driver takes it or gives it back. `commitAfterMs`: how long the transaction stays open. */
export async function goOn(pool: Pool, rideId: string, commitAfterMs = 0): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const ride = (await lockRide(tx, rideId))!;
    const at = new Date().toISOString();
    const fact: RideFact =
      ride.driverId === null
        ? { type: 'ride.driver_assigned', at, data: { driverId: 'driver-1', offerId } }
        : { type: 'ride.driver_unassigned', at, data: { driverId: ride.driverId, reason: 'flat_tyre' } };
    const after = foldRide(ride, fact);
    await putRide(tx, after);
    const { version } = after;
    await recordStep(tx, {
      ...{ stepId: `${rideId}/${version}`, aggregateId: rideId, version, factType: fact.type },
      ...{ fact: { ...fact }, result: null },
    });
    if (commitAfterMs > 0) await wait(commitAfterMs);
  });
}
