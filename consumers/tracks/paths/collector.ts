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
  /** A ride has become known that may have points in records which were taken without it. */
  isMissing = false;

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
    }
  }

  /** Learns of rides that nobody knew of before. */
  learn(rides: readonly DrivenRide[]): void {
    const { firstSentMs, lastSentMs } = this;
    if (rides.some((ride) => ride.fromMs <= lastSentMs && mayBeOf(ride, firstSentMs))) this.isMissing = true;
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

  private add(ride: DrivenRide, point: SaidPoint): void {
    const name = `${ride.rideId}/${ride.leg}`;
    const way = this.ways.get(name);
    if (way) way.points.push(point);
    else this.ways.set(name, { ride, points: [point] });
    this.points += 1;
  }
}
