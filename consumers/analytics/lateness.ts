import { timeOf, type Fact } from '../../platform/inbox';
import type { Tx } from '../../platform/postgres';

/** Facts that are further behind the latest one of their partition are too late for the minute that they are of. */
export const LATE_MS = 10 * 60_000;

/**
 * When a fact happened, by its own word, in milliseconds; no later than it was sent, as somebody's clock may be ahead.
 * @throws CodedError `fact_invalid`
 */
export function happenedMs(fact: Fact): number {
  const { timestamp } = fact.record;
  return timestamp > 0 ? Math.min(timeOf(fact), timestamp) : timeOf(fact);
}

/**
 * How far a partition's facts have come in their own time. It moves with the log alone, never with a clock: a replay
 * finds the same facts late, and a backlog of hours is not late at all.
 */
export class EventTime {
  private late = 0;

  private constructor(
    private readonly topic: string,
    private readonly partition: number,
    private latestMs: number,
  ) {}

  /** Of the partition that these facts are of. */
  static async of(tx: Tx, { topic, partition }: Fact): Promise<EventTime> {
    const { rows } = await tx.query<{ latestMs: number }>({
      name: 'event-time',
      text: 'select latest_ms as "latestMs" from event_times where topic = $1 and partition = $2',
      values: [topic, partition],
    });
    return new EventTime(topic, partition, rows[0]?.latestMs ?? 0);
  }

  /**
   * Moves on to `atMs`, when a fact happened (`happenedMs`), and says whether it is too late. One that does not say when it
   * was sent moves nothing: a single wrong clock would make all others late.
   */
  isLate({ record }: Fact, atMs: number): boolean {
    if (atMs < this.latestMs - LATE_MS) {
      this.late += 1;
      return true;
    }
    if (record.timestamp > 0) this.latestMs = Math.max(this.latestMs, atMs);
    return false;
  }

  async write(tx: Tx): Promise<void> {
    await tx.query({
      name: 'event-time-write',
      text: `insert into event_times as e (topic, partition, latest_ms, late) values ($1, $2, $3, $4)
             on conflict (topic, partition) do update set latest_ms = excluded.latest_ms, late = e.late + excluded.late`,
      values: [this.topic, this.partition, this.latestMs, this.late],
    });
  }
}
