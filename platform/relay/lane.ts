import type { Pool } from 'pg';
import type { FactProducer } from '../kafka/producer';
import type { KafkaLog } from '../kafka/client';
import type { Slots } from '../inbox/slots';
import { createGapDetector } from './gaps';
import { lastIdOf, readFacts, readRelayed, type OutboxFact, type Reached, type Window } from './outboxReader';
import {
  loadPosition,
  movePosition,
  movePositionAndPark,
  type Holding,
  type Parking,
  type Position,
} from './position';
import { publish } from './publish';
import { sendReleased } from './released';
import type { LaneNews } from './scout';

export interface LaneOptions {
  readonly pool: Pool;
  /** For logs. */
  readonly database: string;
  /** The lane's own: lanes do not wait for each other's acknowledgements. */
  readonly producer: FactProducer;
  readonly log: KafkaLog;
  /** Aborted when the lane is to be left: nothing is begun any more. */
  readonly signal: AbortSignal;
  /** Aborted when what is under way shall end, too. */
  readonly lateSignal: AbortSignal;
  /** Lanes that were just taken ask in turn what was relayed before, so that connections are left for the facts. */
  readonly recalling: Slots;
  /** @throws LaneLost when the lease is over, as far as this process knows */
  readonly assertHeld: () => void;
  /** What comes next above this, once there is something; undefined when the lane is to be left. */
  readonly nextNews: (reached: Reached) => Promise<LaneNews | undefined>;
}

/** Looks for gaps among facts on their way, and between them and what lies behind the position that was begun from. */
type Look = (facts: readonly OutboxFact[], begunFrom: Position) => void;

/** Facts that were read together, and where the lane is when they are in Kafka. */
interface Page {
  readonly facts: readonly OutboxFact[];
  readonly behind: Position;
}

/**
 * Relays one lane for as long as it is held: while a page of facts is sent the next is read, and while the next is
 * sent the position moves behind the one before. A page is sent only when all before it are in Kafka, so whoever goes
 * on from the stored position, at whatever time, repeats at most two pages and swaps nothing.
 * @throws LaneLost, and what Postgres says
 */
export async function runLane(holding: Holding, options: LaneOptions): Promise<void> {
  const gaps = createGapDetector(options);
  let isRecalling = false;
  const look: Look = (facts, begunFrom) => {
    // Asked for with the first facts, as most lanes that are taken have none that wait; and no fact waits for the answer.
    if (!isRecalling) void recall(begunFrom);
    isRecalling = true;
    gaps.look(facts);
  };
  const recall = async (begunFrom: Position): Promise<void> => {
    const { pool, recalling, log, database } = options;
    const { lane } = holding;
    try {
      gaps.remember(await recalling.take(() => readRelayed(pool, lane, begunFrom)));
    } catch (error) {
      log.warn({ err: error, database, lane }, 'no gap is found to what was relayed before: it is not known');
      gaps.remember([]);
    }
  };
  while (!options.signal.aborted) await relayUntilParked(holding, look, options);
}

/**
 * Ends when the lane is to be left, or when a key was parked: what was read meanwhile does not know that yet.
 */
async function relayUntilParked(holding: Holding, look: Look, options: LaneOptions): Promise<void> {
  const { pool, signal } = options;
  const stored = await loadPosition(pool, holding);
  const pages = readPages(holding, stored, options);
  let moving: Promise<void> = Promise.resolve();
  let reading = pages.next();
  try {
    for (;;) {
      // A position that cannot be moved ends this at once, however long it is until there is more to read.
      const { value: page } = await Promise.race([reading, moving.then(() => reading)]);
      if (page === undefined || signal.aborted) return;
      options.assertHeld();
      if (page === 'released') {
        await moving;
        await sendReleased(holding, options);
        reading = pages.next();
        continue;
      }
      reading = pages.next();
      // Whoever awaits it hears of its failure; until then it is nobody's.
      reading.catch(() => {});
      look(page.facts, stored);
      const parked = await publish(page.facts, options);
      await moving;
      moving = move(holding, page, parked, options);
      moving.catch(() => {});
      if (parked.length > 0) return;
    }
  } finally {
    await moving;
  }
}

/** The lane's pages, window after window. */
async function* readPages(
  holding: Holding,
  stored: Position,
  options: LaneOptions,
): AsyncGenerator<Page | 'released', undefined> {
  const { pool, nextNews } = options;
  const { to, lastId } = stored;
  let reached: Reached = stored;
  let news: LaneNews | undefined = to === null ? undefined : { ...stored, to, afterId: lastId };
  for (;;) {
    news ??= await nextNews(reached);
    if (news === undefined) return;
    if (news === 'released') yield news;
    else {
      yield* readWindow(holding, news, pool);
      reached = { from: news.to, floor: news.floor };
    }
    news = undefined;
  }
}

async function* readWindow(holding: Holding, window: Window, pool: Pool): AsyncGenerator<Page> {
  const { from, to, floor } = window;
  for (let { afterId } = window; ;) {
    const facts = await readFacts(pool, holding.lane, { ...window, afterId });
    afterId = facts.at(-1)?.id ?? lastIdOf(window);
    const isLast = afterId >= lastIdOf(window);
    const behind = isLast ? { from: to, to: null, lastId: 0, floor } : { from, to, lastId: afterId, floor };
    yield { facts, behind };
    if (isLast) return;
  }
}

function move(
  holding: Holding,
  { facts, behind }: Page,
  parked: Parking[],
  { pool }: LaneOptions,
): Promise<void> {
  return parked.length > 0 || facts.some((fact) => fact.parked)
    ? movePositionAndPark(pool, holding, behind, { facts, parked })
    : movePosition(pool, holding, behind, facts.length);
}
