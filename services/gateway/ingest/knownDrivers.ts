import { takesOf } from '../../../contracts/positionRecord';
import type { Vehicle } from '../../../domain/fare';
import type { Queryable } from '../../../platform/postgres';

/** What was looked up is good for so long, in milliseconds: until then a driver who leaves a fleet is still its. */
const REGISTERED_FOR_MS = 60_000;
/** Who was not there may have registered meanwhile, and who was on no shift have begun one. */
const ABSENT_FOR_MS = 2_000;
const MOST_REMEMBERED = 200_000;
/** Apart, so that made-up ids take nobody's room. */
const MOST_UNKNOWN = 20_000;

/** The fleet of a driver, null where there is none; undefined where nobody has registered with the id. */
type FleetOf = string | null | undefined;

interface Known {
  readonly fleet: string | null;
  /** Of `Takes`. */
  readonly takes: number;
  readonly untilMs: number;
}

interface DriverRow {
  readonly driverId: string;
  readonly fleetId: string | null;
  readonly product: Vehicle;
  readonly online: boolean;
}

/** Drivers, whom they drive for, what they drive and whether they are on a shift, as the rides database has them: asked at most once a request, and remembered. */
export class KnownDrivers {
  private readonly known = new Map<string, Known>();
  /** Ids that nobody has registered with, and until when that is good. */
  private readonly unknown = new Map<string, number>();

  /** @param db of rides */
  constructor(
    private readonly db: Queryable,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Looks up those that are not remembered: null where there are none, so that nobody waits for nothing.
   * What was known before stays so while the database is away.
   */
  lookUp(driverIds: readonly string[]): Promise<void> | null {
    const nowMs = this.now();
    const wanted = new Set<string>();
    for (const id of driverIds)
      if (nowMs >= (this.known.get(id)?.untilMs ?? this.unknown.get(id) ?? 0)) wanted.add(id);
    return wanted.size === 0 ? null : this.ask([...wanted], nowMs);
  }

  /** As it was looked up. */
  fleetOf(driverId: string): FleetOf {
    return this.known.get(driverId)?.fleet;
  }

  /** What a driver can be asked for, of `Takes`, as it was looked up; nothing where nobody has registered with the id. */
  takesOf(driverId: string): number {
    return this.known.get(driverId)?.takes ?? 0;
  }

  private async ask(driverIds: string[], nowMs: number): Promise<void> {
    let found: ReadonlyMap<string, DriverRow>;
    try {
      const { rows } = await this.db.query<DriverRow>(
        `select driver_id as "driverId", fleet_id as "fleetId", product, online from drivers
         where driver_id = any ($1)`,
        [driverIds],
      );
      found = new Map(rows.map((driver) => [driver.driverId, driver]));
    } catch (error) {
      if (driverIds.every((id) => this.known.has(id))) return;
      throw error;
    }
    for (const id of driverIds) {
      const driver = found.get(id);
      this.known.delete(id);
      this.unknown.delete(id);
      if (driver === undefined) this.unknown.set(id, nowMs + ABSENT_FOR_MS);
      else this.known.set(id, knownUntil(nowMs, driver));
    }
    keepNewest(this.known, MOST_REMEMBERED);
    keepNewest(this.unknown, MOST_UNKNOWN);
  }
}

const knownUntil = (nowMs: number, { fleetId, product, online }: DriverRow): Known => ({
  fleet: fleetId,
  takes: takesOf({ vehicle: product, isOnline: online }),
  untilMs: nowMs + (online ? REGISTERED_FOR_MS : ABSENT_FOR_MS),
});

/** The first of a map are those that were looked up longest ago. */
function keepNewest(map: Map<string, unknown>, most: number): void {
  for (const id of map.keys()) {
    if (map.size <= most) return;
    map.delete(id);
  }
}
