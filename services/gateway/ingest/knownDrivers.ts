import type { Queryable } from '../../../platform/postgres';

/** What was looked up is good for so long, in milliseconds: until then a driver who leaves a fleet is still its. */
const REGISTERED_FOR_MS = 60_000;
/** Who was not there may have registered meanwhile. */
const UNKNOWN_FOR_MS = 2_000;
const MOST_REMEMBERED = 200_000;
/** Apart, so that made-up ids take nobody's room. */
const MOST_UNKNOWN = 20_000;

/** The fleet of a driver, null where there is none; undefined where nobody has registered with the id. */
type FleetOf = string | null | undefined;

/** Drivers and whom they drive for, as the rides database has them: asked at most once a request, and remembered. */
export class KnownDrivers {
  private readonly known = new Map<string, { readonly fleet: string | null; readonly untilMs: number }>();
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

  private async ask(driverIds: string[], nowMs: number): Promise<void> {
    let found: ReadonlyMap<string, string | null>;
    try {
      const { rows } = await this.db.query<{ driverId: string; fleetId: string | null }>(
        'select driver_id as "driverId", fleet_id as "fleetId" from drivers where driver_id = any ($1)',
        [driverIds],
      );
      found = new Map(rows.map(({ driverId, fleetId }) => [driverId, fleetId]));
    } catch (error) {
      if (driverIds.every((id) => this.known.has(id))) return;
      throw error;
    }
    for (const id of driverIds) {
      const fleet = found.get(id);
      this.known.delete(id);
      this.unknown.delete(id);
      if (fleet === undefined) this.unknown.set(id, nowMs + UNKNOWN_FOR_MS);
      else this.known.set(id, { fleet, untilMs: nowMs + REGISTERED_FOR_MS });
    }
    keepNewest(this.known, MOST_REMEMBERED);
    keepNewest(this.unknown, MOST_UNKNOWN);
  }
}

/** The first of a map are those that were looked up longest ago. */
function keepNewest(map: Map<string, unknown>, most: number): void {
  for (const id of map.keys()) {
    if (map.size <= most) return;
    map.delete(id);
  }
}
