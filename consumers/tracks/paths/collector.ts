import { driverIdOfKey, hashOfDriverKey, isKeyElsewhere } from '../../../contracts/driverKey';
import { PATH_DEGREE, type PathPoint } from '../../../contracts/pathChunk';
import { HEADER_WORDS, ROW_WORDS, row } from '../../../contracts/positionRecord';
import { readPositions } from '../../../contracts/readPositions';
import { DEGREE } from '../../../domain/geo';
import type { RawRecord } from '../../../platform/kafka';
import { isDuring, mayBeOf, type DrivenRide, type Legs } from './legs';

const perUnit = PATH_DEGREE / DEGREE;

/** A point, and the record that said it. */
export interface SaidPoint extends PathPoint {
  readonly offset: number;
}

/** What was collected of a driver's turn at a ride. */
export interface Way {
  readonly ride: DrivenRide;
  readonly points: SaidPoint[];
}

/** The ways of rides in the records of one partition, from an offset on. */
export class Collector {
  readonly ways = new Map<string, Way>();
  /** The offset of the next record. */
  next: number;
  points = 0;
  /** When the latest record was sent, or was taken where it says that it comes from later; milliseconds since 1970. */
  lastSentMs = -Infinity;
  /** Of each second in which records were sent: the offset behind the last of them, and `lastSentMs` by then. */
  private taken: { readonly next: number; readonly sentMs: number }[] = [];
  /** A ride has become known that may have points in records sent from then on, which were taken without it. */
  private missingFromMs = Infinity;

  constructor(
    readonly partition: number,
    readonly from: number,
    /** When the first record was sent, and when it was taken. */
    readonly firstSentMs: number,
    readonly beganMs: number,
  ) {
    this.next = from;
  }

  /** Takes records in their order: the points of whoever drives a ride at their times. */
  take(records: readonly RawRecord[], legs: Legs, nowMs: number): void {
    for (const record of records) {
      this.takeRecord(record, legs);
      this.next = record.offset + 1;
      this.lastSentMs = Math.max(this.lastSentMs, Math.min(record.timestamp, nowMs));
      this.remember({ next: this.next, sentMs: this.lastSentMs });
    }
  }

  /** Learns of rides that nobody knew of before. */
  learn(rides: readonly DrivenRide[]): void {
    for (const ride of rides)
      if (ride.fromMs <= this.lastSentMs && mayBeOf(ride, this.firstSentMs))
        this.missingFromMs = Math.min(this.missingFromMs, ride.fromMs);
  }

  /**
   * Goes back to before the records that were taken without a ride which may have points in them. Safe to repeat.
   * @returns whether there are such
   */
  goBack(): boolean {
    if (this.missingFromMs === Infinity) return false;
    this.taken = this.taken.filter(({ sentMs }) => sentMs < this.missingFromMs);
    const { next, sentMs } = this.taken.at(-1) ?? { next: this.from, sentMs: -Infinity };
    [this.next, this.lastSentMs] = [next, sentMs];
    for (const [name, { ride, points }] of this.ways)
      this.ways.set(name, { ride, points: points.filter(({ offset }) => offset < next) });
    return true;
  }

  private takeRecord({ value, timestamp, offset }: RawRecord, legs: Legs): void {
    const rows = readPositions(value, timestamp);
    if (rows === null) return;
    const { words, count, baseMs, longIds } = rows;
    let elsewhere = 0;
    for (let i = 0, at = HEADER_WORDS; i < count; i++, at += ROW_WORDS) {
      const longId = longIds.length > 0 && isKeyElsewhere(words, at) ? longIds[elsewhere++] : undefined;
      const sharing = legs.sharing(hashOfDriverKey(words, at));
      if (sharing === undefined) continue;
      const driverId = longId ?? driverIdOfKey(words, at);
      const atMs = Math.min(baseMs - (words[at + row.ageMs]! >>> 0), timestamp);
      for (const ride of sharing.get(driverId) ?? [])
        if (isDuring(ride, atMs))
          this.add(ride, {
            ...{ atMs, offset },
            lat: Math.round(words[at + row.lat]! * perUnit),
            lng: Math.round(words[at + row.lng]! * perUnit),
          });
    }
  }

  private remember(taken: { readonly next: number; readonly sentMs: number }): void {
    const isSameSecond = secondOf(this.taken.at(-1)?.sentMs ?? -Infinity) === secondOf(taken.sentMs);
    this.taken.splice(this.taken.length - (isSameSecond ? 1 : 0), 1, taken);
  }

  private add(ride: DrivenRide, point: SaidPoint): void {
    const name = `${ride.rideId}/${ride.leg}`;
    const way = this.ways.get(name);
    if (way) way.points.push(point);
    else this.ways.set(name, { ride, points: [point] });
    this.points += 1;
  }
}

const secondOf = (ms: number): number => Math.floor(ms / 1_000);
