import { takesOf } from '../../../contracts/positionRecord';
import type { Vehicle } from '../../../domain/fare';
import type { Queryable } from '../../../platform/postgres';

/** What was looked up is good for so long, in milliseconds: until then a driver who leaves a fleet is still its. */
const REGISTERED_FOR_MS = 60_000;
/** Who was not there may have registered meanwhile, and who was on no shift have begun one. */
const ABSENT_FOR_MS = 2_000;
/** After it did not answer, the database is asked about nobody who is known for so long: whoever asks waits for it. */
const AWAY_FOR_MS = 5_000;
/**
 * A quarter more than the published peak has: 200,000 positions a second, one of each driver in four. Measured, a driver takes
 * 93 bytes with a UUID for an id, so it is 93 MB at most. Of more drivers those asked about longest ago are asked about
 * again with each request: that is right, and costs their requests a wait (`AT_ONCE`), nobody else one.
 */
const MOST_REMEMBERED = 1_000_000;
/** Statements at once. What comes meanwhile goes into the next one together, however many requests it is of. */
export const AT_ONCE = 2;
/** Drivers who were looked up within so long, in milliseconds, and of whom the same is known, share what is remembered. */
const SHARED_WITHIN_MS = 1_000;
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

/**
 * Drivers, whom they drive for, what they drive and whether they are on a shift, as the rides database has them: asked at
 * most once a request, about nobody twice at once, and remembered.
 */
export class KnownDrivers {
  private readonly known = new Map<string, Known>();
  /** Ids that nobody has registered with, and until when that is good. */
  private readonly unknown = new Map<string, number>();
  /** Ids that are being asked about. */
  private readonly asked = new Map<string, Promise<void>>();
  private readonly inFlight = new Set<Promise<void>>();
  /** Ids for the next statement. */
  private waiting: { readonly ids: string[]; readonly answer: Promise<void> } | undefined;
  private shared = { untilMs: 0, known: new Map<string, Known>() };
  private awayUntilMs = 0;

  /** @param db of rides */
  constructor(
    private readonly db: Queryable,
    private readonly now: () => number = Date.now,
    private readonly most = MOST_REMEMBERED,
  ) {}

  /**
   * Looks up those that are not remembered: null where there are none, so that nobody waits for nothing.
   * What was known before stays so while the database is away.
   */
  lookUp(driverIds: readonly string[]): Promise<void> | null {
    const nowMs = this.now();
    const wanted = driverIds.filter((id) => nowMs >= this.goodUntilMs(id));
    if (wanted.length === 0) return null;
    const unasked = new Set(wanted.filter((id) => !this.asked.has(id)));
    if (unasked.size > 0) {
      const answer = this.askSoon([...unasked]).finally(() => {
        for (const id of unasked) this.asked.delete(id);
      });
      for (const id of unasked) this.asked.set(id, answer);
    }
    return this.answered(wanted);
  }

  /** As it was looked up. */
  fleetOf(driverId: string): FleetOf {
    return this.known.get(driverId)?.fleet;
  }

  /** What a driver can be asked for, of `Takes`, as it was looked up; nothing where nobody has registered with the id. */
  takesOf(driverId: string): number {
    return this.known.get(driverId)?.takes ?? 0;
  }

  private goodUntilMs(driverId: string): number {
    const known = this.known.get(driverId);
    return known === undefined
      ? (this.unknown.get(driverId) ?? 0)
      : Math.max(known.untilMs, this.awayUntilMs);
  }

  /** @throws what the database did, where some of these are not known from before */
  private async answered(driverIds: readonly string[]): Promise<void> {
    try {
      await Promise.all(new Set(driverIds.map((id) => this.asked.get(id)!)));
    } catch (error) {
      if (!driverIds.every((id) => this.known.has(id))) throw error;
    }
  }

  private askSoon(driverIds: string[]): Promise<void> {
    if (this.inFlight.size < AT_ONCE) return this.askNow(driverIds);
    if (this.waiting === undefined) {
      const ids: string[] = [];
      const answer = Promise.race(this.inFlight).then(() => {
        this.waiting = undefined;
        return this.askNow(ids);
      });
      this.waiting = { ids, answer };
    }
    for (const id of driverIds) this.waiting.ids.push(id);
    return this.waiting.answer;
  }

  private askNow(driverIds: string[]): Promise<void> {
    const answer = this.ask(driverIds);
    const ended: Promise<void> = answer.catch(() => {}).then(() => void this.inFlight.delete(ended));
    this.inFlight.add(ended);
    return answer;
  }

  private async ask(driverIds: string[]): Promise<void> {
    const nowMs = this.now();
    const found = await this.rowsOf(driverIds);
    for (const id of driverIds) {
      const driver = found.get(id);
      this.known.delete(id);
      this.unknown.delete(id);
      if (driver === undefined) this.unknown.set(id, nowMs + ABSENT_FOR_MS);
      else this.known.set(id, this.knownUntil(nowMs, driver));
    }
    keepNewest(this.known, this.most);
    keepNewest(this.unknown, MOST_UNKNOWN);
  }

  private knownUntil(nowMs: number, { fleetId, product, online }: DriverRow): Known {
    if (nowMs >= this.shared.untilMs) this.shared = { untilMs: nowMs + SHARED_WITHIN_MS, known: new Map() };
    const { known } = this.shared;
    const same = `${product} ${online} ${fleetId ?? ''}`;
    const before = known.get(same);
    if (before !== undefined) return before;
    const takes = takesOf({ vehicle: product, isOnline: online });
    const made = { fleet: fleetId, takes, untilMs: nowMs + (online ? REGISTERED_FOR_MS : ABSENT_FOR_MS) };
    known.set(same, made);
    return made;
  }

  private async rowsOf(driverIds: string[]): Promise<ReadonlyMap<string, DriverRow>> {
    try {
      const { rows } = await this.db.query<DriverRow>(
        `select driver_id as "driverId", fleet_id as "fleetId", product, online from drivers
         where driver_id = any ($1)`,
        [driverIds],
      );
      return new Map(rows.map((driver) => [driver.driverId, driver]));
    } catch (error) {
      this.awayUntilMs = this.now() + AWAY_FOR_MS;
      throw error;
    }
  }
}

/** The first of a map are those that were looked up longest ago. */
function keepNewest(map: Map<string, unknown>, most: number): void {
  for (const id of map.keys()) {
    if (map.size <= most) return;
    map.delete(id);
  }
}
