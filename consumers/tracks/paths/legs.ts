import { hashOfDriverKey, KEY_WORDS, writeDriverKey } from '../../../contracts/driverKey';
import type { Queryable } from '../../../platform/postgres';

/** A driver's turn at a ride. */
export interface DrivenRide {
  readonly rideId: string;
  readonly leg: number;
  readonly riderId: string;
  readonly driverId: string;
  readonly fromMs: number;
  readonly untilMs: number | null;
}

/** Positions of a ride may come so long after it has ended: a phone sends what it has kept. */
const KEPT_BACK_MS = 600_000;

/** Who drives which ride, as the database has it: known by driver, and as of when. */
export class Legs {
  /** By the hash of the driver's key, and by their id: all ids that are long have one hash. The latest ride comes first. */
  private byDriver = new Map<number, Map<string, DrivenRide[]>>();
  private known = new Map<string, DrivenRide>();
  private readonly key = new Int32Array(KEY_WORDS);
  /** All that was committed by then is known; milliseconds since 1970. */
  asOfMs = -Infinity;
  /** Rides that had ended before then are not. */
  sinceMs = Infinity;

  /**
   * Looks again, and says which are new. A ride whose end is not known ends where its driver got the next one.
   * @param sinceMs the oldest position that is of interest
   */
  async look(db: Queryable, sinceMs: number, nowMs: number): Promise<readonly DrivenRide[]> {
    const { rows } = await db.query<DrivenRide>({
      name: 'paths-driven',
      text: `select ride_id as "rideId", leg, rider_id as "riderId", driver_id as "driverId", from_ms as "fromMs",
               until_ms as "untilMs"
             from ride_paths where driver_id is not null and (until_ms is null or until_ms >= $1)
             order by from_ms desc, ride_id desc`,
      values: [Math.floor(sinceMs) - KEPT_BACK_MS],
    });
    const before = this.known;
    this.known = new Map();
    this.byDriver = new Map();
    for (const row of rows) {
      const theirs = this.ridesOf(row.driverId);
      const next = theirs.at(-1);
      const ride = { ...row, untilMs: row.untilMs ?? (next ? next.fromMs - 1 : null) };
      theirs.push(ride);
      this.known.set(nameOf(ride), ride);
    }
    [this.asOfMs, this.sinceMs] = [nowMs, sinceMs];
    return [...this.known.values()].filter((ride) => !before.has(nameOf(ride)));
  }

  /** The rides of drivers whose keys have this hash, by the drivers' ids: few have, and hardly anybody of who has none. */
  sharing(hash: number): ReadonlyMap<string, readonly DrivenRide[]> | undefined {
    return this.byDriver.get(hash);
  }

  private ridesOf(driverId: string): DrivenRide[] {
    writeDriverKey(driverId, this.key, 0);
    const hash = hashOfDriverKey(this.key, 0);
    const sharing = this.byDriver.get(hash) ?? new Map<string, DrivenRide[]>();
    const rides = sharing.get(driverId) ?? [];
    this.byDriver.set(hash, sharing.set(driverId, rides));
    return rides;
  }

  /** What is known of a driver's turn by now; undefined where they have given the ride back. */
  now(ride: DrivenRide): DrivenRide | undefined {
    return this.known.get(nameOf(ride));
  }
}

/** Whether a driver's turn at a ride had begun by then, and was not over. */
export const isDuring = (
  { fromMs, untilMs }: Pick<DrivenRide, 'fromMs' | 'untilMs'>,
  atMs: number,
): boolean => atMs >= fromMs && (untilMs === null || atMs <= untilMs);

/** Whether positions that were sent from then on may be of a ride. */
export const mayBeOf = ({ untilMs }: DrivenRide, sinceMs: number): boolean =>
  untilMs === null || untilMs >= sinceMs - KEPT_BACK_MS;

const nameOf = ({ rideId, leg }: DrivenRide): string => `${rideId}/${leg}`;
