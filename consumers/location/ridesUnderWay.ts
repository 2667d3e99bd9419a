import { FactInvalid, readerOf, type KnownFact } from '../../contracts/knownFact';
import { factGroup, type ReadBy } from '../../contracts/consumers';
import { MalformedFact, parseFact } from '../../platform/inbox';
import {
  inCopies,
  offsetsSince,
  runConsumer,
  type Kafka,
  type KafkaLog,
  type RawRecord,
} from '../../platform/kafka';
import { askUntilAnswered } from './askUntilAnswered';

const read = readerOf('location');

/**
 * Rides that got their driver longer ago than that, in milliseconds, may be missing after a start, and are forgotten: their
 * drivers pass for free, which costs dispatch a look and nobody a ride, as the lease is what counts.
 */
const LONGEST_RIDE_MS = 2 * 60 * 60_000;
/** A relay that lost its lane may repeat facts: some lease times later at most. */
const REPEATED_MS = 5 * 60_000;

/** What was told last of a ride, and when it was sent. */
interface Told {
  readonly sequence: number;
  readonly sentMs: number;
}

const nothing: Told = { sequence: 0, sentMs: 0 };

/** Who is on a ride, by the facts of rides: as many entries as there are rides under way, and some that have just ended. */
export class RidesUnderWay {
  private readonly underWay = new Map<string, Told & { readonly driverId: string }>();
  private readonly over = new Map<string, Told>();
  private readonly ridesOf = new Map<string, number>();

  /** @param changed is told of each driver who has got a ride, being on none, or ended the last one */
  constructor(private readonly changed: (driverId: string, isFree: boolean) => void) {}

  isOnRide(driverId: string): boolean {
    return this.ridesOf.has(driverId);
  }

  /**
   * Takes a fact of the log. Those of a ride come in their order, perhaps repeated; those of two rides in any: so a driver is
   * on as many as there are, for the moment in which the next one has begun and the last one's end is still to come.
   * @throws FactInvalid, MalformedFact
   */
  take(record: RawRecord): void {
    const fact = parseFact(record);
    const known = read(fact);
    if (known === null) return;
    const { key: rideId, sequence } = fact;
    const before = this.underWay.get(rideId);
    if (sequence <= (before ?? this.over.get(rideId) ?? nothing).sequence) return;
    const told = { sequence, sentMs: record.timestamp };
    const driverId = driverAfter(known);
    this.underWay.delete(rideId);
    this.over.delete(rideId);
    if (driverId === undefined) this.over.set(rideId, told);
    else this.underWay.set(rideId, { ...told, driverId });
    if (driverId !== before?.driverId) {
      if (driverId !== undefined) this.begin(driverId);
      if (before !== undefined) this.end(before.driverId);
    }
    this.forget(record.timestamp);
  }

  /** What is too old; both maps have the latest at their end. */
  private forget(nowMs: number): void {
    for (const [rideId, { sentMs }] of this.over) {
      if (sentMs > nowMs - REPEATED_MS) break;
      this.over.delete(rideId);
    }
    for (const [rideId, { sentMs, driverId }] of this.underWay) {
      if (sentMs > nowMs - LONGEST_RIDE_MS) break;
      this.underWay.delete(rideId);
      this.end(driverId);
    }
  }

  private begin(driverId: string): void {
    const rides = this.ridesOf.get(driverId) ?? 0;
    this.ridesOf.set(driverId, rides + 1);
    if (rides === 0) this.changed(driverId, false);
  }

  private end(driverId: string): void {
    const rides = this.ridesOf.get(driverId)! - 1;
    if (rides > 0) return void this.ridesOf.set(driverId, rides);
    this.ridesOf.delete(driverId);
    this.changed(driverId, true);
  }
}

/** Who drives a ride after a fact. */
function driverAfter(fact: KnownFact<ReadBy<'location'>>): string | undefined {
  switch (fact.type) {
    case 'ride.driver_assigned':
      return fact.data.driverId;
    case 'ride.driver_unassigned':
    case 'ride.completed':
    case 'ride.cancelled':
      return undefined;
  }
}

export interface WatchRidesOptions {
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly ownUrl: string;
  readonly rides: RidesUnderWay;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
}

/** Reads the facts of rides until the signal is aborted: each process all of them. Whoever answers waits for none of it. */
export async function watchRides({
  kafka,
  topicPrefix,
  ownUrl,
  rides,
  signal,
  log,
}: WatchRidesOptions): Promise<void> {
  const topic = `${topicPrefix}rides`;
  const sinceMs = Date.now() - LONGEST_RIDE_MS;
  const begins = await askUntilAnswered(() => offsetsSince(kafka, topic, sinceMs), { topic, signal, log });
  const next = new Map(
    Object.entries(begins ?? {}).map(([partition, offset]) => [Number(partition), offset]),
  );
  await runConsumer({
    ...{ kafka, group: topicPrefix + factGroup('location'), topics: [topic], signal, log },
    assigner: inCopies({ copies: Infinity, says: ownUrl }),
    startAt: (partition) => next.get(partition) ?? 0,
    async onBatch(batch) {
      for (const record of batch.records) {
        try {
          rides.take(record);
        } catch (error) {
          if (!(error instanceof FactInvalid || error instanceof MalformedFact)) throw error;
          log.warn({ err: error, topic, offset: record.offset }, 'a fact of a ride is not read');
        }
      }
      const reached = (batch.records.at(-1)?.offset ?? batch.fetchedFrom - 1) + 1;
      next.set(batch.partition, reached);
      await batch.commit(reached);
    },
  });
}
