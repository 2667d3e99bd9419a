import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Slots } from './inbox/slots';
import type { Kafka, KafkaLog } from './kafka/client';
import type { FactProducer } from './kafka/producer';
import { createPoll } from './poll';
import { runLane } from './relay/lane';
import { beat, beatMs, giveUp, leaseMs, leave } from './relay/lease';
import { inOrder } from './relay/outboxReader';
import { LaneLost, type Holding } from './relay/position';
import { createReach } from './relay/reach';
import { emptyPublishedSegments } from './relay/rotation';
import { createScout } from './relay/scout';
import type { RelayObserver } from './observers';
import { createPool } from './postgres';
import { wait } from './wait';

export interface RelayOptions {
  /** The owning database; seven connections at most are in use at once. */
  readonly databaseUrl: string;
  /** Its name, for logs. */
  readonly database: string;
  /** Where the facts go; it is asked whether it can be reached when sends are not answered. */
  readonly kafka: Kafka;
  /** Makes a producer; each lane has its own. */
  readonly createProducer: () => FactProducer;
  /** How long to wait when there is nothing and nobody says so (100 ms). */
  readonly pollMs?: number;
  /** Stops after the facts in hand, or 3 s later when Kafka does not take them. */
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  readonly observer?: RelayObserver;
  /** Told after each beat: the lanes that are ours, or null while the database cannot be reached. */
  readonly onLanes?: (lanes: readonly number[] | null) => void;
}

/** Of a lane of which no floor is known (`Floor`) the first page is looked for from its beginning, once. */
const backlogTimeoutMs = 120_000;
const graceMs = 3_000;
/** How often segments are looked at that could be emptied. */
const rotationMs = 30_000;

/**
 * Moves committed facts from a database's outbox to Kafka until the signal is aborted: each at least once, the facts
 * of a key in the order of their commits at first occurrence. Losing Kafka, Postgres or the process only delays them.
 *
 * A key's facts are in one lane, and a lane has one owner: whoever holds its lease. Relays share the lanes, and take
 * those of one that is gone. A window is what became visible in a lane between two snapshots. A cursor over ids would
 * lose rows (ids are given before the commit), one over transaction ids could swap a key's facts (a lower one can
 * commit later). Inside a window the order of ids is a key's order, as whoever writes its next fact has waited for its
 * row's lock before. A relay that was frozen for longer than its lease finds its epoch gone when it moves its position:
 * it may have repeated facts, in their order. One that reaches its database but not Kafka leaves its lanes to the others
 * until it reaches Kafka again.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { databaseUrl, signal, log, database } = options;
  // Beats wait for nobody who reads a backlog.
  const pool = createPool(databaseUrl, {
    applicationName: 'relay',
    max: 2,
    statementTimeoutMs: leaseMs,
    log,
  });
  const backlog = createPool(databaseUrl, {
    applicationName: 'relay',
    max: 5,
    statementTimeoutMs: backlogTimeoutMs,
    settings: inOrder,
    log,
  });
  const member = `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`;
  const scout = createScout({ pool: backlog, pollMs: options.pollMs ?? 100, signal, log });
  const scouting = scout.run();
  const rotating = createPoll().run(() => emptyPublishedSegments(backlog, log).then(() => {}), {
    everyMs: rotationMs,
    signal,
    log,
    trouble: 'segments of the outbox are not emptied',
  });
  const reach = createReach({ kafka: options.kafka, database, signal, log });
  const reaching = reach.run();
  const runs = new Map<number, LaneRun>();
  const endSends = (reason: unknown): void => {
    for (const run of runs.values()) run.endSends(reason);
  };
  const giveUpLater = (): void => void setTimeout(() => endSends(signal.reason), graceMs).unref();
  signal.addEventListener('abort', giveUpLater, { once: true });
  let heldUntilMs = 0;
  const leaving = new Map<number, Promise<void>>();
  const recalling = new Slots(1);

  const start = (holding: Holding): void => {
    const producer = reach.watch(options.createProducer());
    const ending = new AbortController();
    const late = new AbortController();
    const done = runLane(holding, {
      ...{
        pool: backlog,
        database,
        log,
        observer: options.observer,
        producer,
        recalling,
        signal: ending.signal,
        lateSignal: late.signal,
      },
      assertHeld: () => {
        if (performance.now() > heldUntilMs) throw new LaneLost(holding);
      },
      nextNews: (reached) => scout.nextOf(holding.lane, reached, ending.signal),
    })
      .catch((error: unknown) => {
        if (!late.signal.aborted) log.warn({ err: error, database, lane: holding.lane }, 'relay left a lane');
      })
      .finally(() => producer.disconnect())
      .finally(() => runs.delete(holding.lane));
    const endSends = (reason: unknown): void => late.abort(reason);
    runs.set(holding.lane, { holding, done, leave: () => ending.abort(), endSends });
  };
  /** Ends what runs of a lane, and frees it. */
  const leaveLane = (holding: Holding): Promise<void> => {
    const { lane } = holding;
    const under = leaving.get(lane);
    if (under) return under;
    const run = runs.get(lane);
    run?.leave();
    const left = Promise.resolve(run?.done)
      .then(() => giveUp(pool, holding))
      .catch((error: unknown) => log.warn({ err: error, database, lane }, 'lane not freed'))
      .finally(() => leaving.delete(lane));
    leaving.set(lane, left);
    return left;
  };

  /** Without waiting for what is under way, which Kafka may never answer: then the leases run out. */
  const leaveAll = async (): Promise<void> => {
    endSends(new Error('Kafka is out of reach'));
    for (const { holding } of runs.values()) void leaveLane(holding);
    await leave(pool, member);
    options.onLanes?.([]);
  };
  const holdShare = async (startedAtMs: number): Promise<void> => {
    const { held, share } = await beat(pool, member);
    heldUntilMs = startedAtMs + leaseMs;
    const epochs = new Map(held.map(({ lane, epoch }) => [lane, epoch]));
    for (const run of runs.values())
      if (epochs.get(run.holding.lane) !== run.holding.epoch) {
        run.leave();
        // Its new owner sends these facts: ours would repeat them behind later ones.
        run.endSends(new LaneLost(run.holding));
      }
    for (const holding of held.slice(0, share))
      if (!runs.has(holding.lane) && !leaving.has(holding.lane)) start(holding);
    // Also those that nothing runs of any more: whoever holds a lane renews it.
    for (const holding of held.slice(share)) void leaveLane(holding);
    options.onLanes?.([...runs.keys()].sort());
  };

  while (!signal.aborted) {
    const startedAtMs = performance.now();
    try {
      await (reach.isLost() ? leaveAll() : holdShare(startedAtMs));
    } catch (error) {
      options.onLanes?.(null);
      log.warn({ err: error, database }, 'relay without its database, trying again');
    }
    await wait(beatMs - (performance.now() - startedAtMs), signal);
  }
  signal.removeEventListener('abort', giveUpLater);
  await Promise.all([...runs.values()].map(({ holding }) => leaveLane(holding)));
  await leave(pool, member).catch(() => {});
  // In turn: behind all that lanes have asked.
  await Promise.all([scouting, rotating, reaching, recalling.take(() => Promise.resolve())]);
  await Promise.all([pool.end(), backlog.end()]);
}

interface LaneRun {
  readonly holding: Holding;
  /** Resolves when nothing of it is under way any more. */
  readonly done: Promise<void>;
  /** Begins nothing any more. */
  leave(): void;
  /** What is under way shall end, too. */
  endSends(reason: unknown): void;
}
