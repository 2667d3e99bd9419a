import { latLngToCell } from 'h3-js';
import type { ReadBy } from '../../contracts/consumers';
import { readerOf, type KnownFact } from '../../contracts/knownFact';
import { CELL_RESOLUTION } from '../../domain/geo';
import { CodedError } from '../../platform/errors';
import type { Fact, Handle } from '../../platform/inbox';
import { Askers } from './askers';
import { EventTime, happenedMs } from './lateness';
import { regionOf } from './place';
import { Rides, type RideUnderWay } from './rides';
import { Shifts } from './shifts';
import { Sums, type DemandCount, type HourCount } from './sums';

const read = readerOf('analytics');
type Read = KnownFact<ReadBy<'analytics'>>;
type Data<T extends Read['type']> = Extract<Read, { type: T }>['data'];

/**
 * Counts demand and supply by the cell and the minute in which things happened (not in which they arrived), and sums up
 * by region and hour what became of rides. All is done in memory first: a batch is a handful of statements, however many
 * facts it has.
 * @throws FactInvalid; CodedError `ride_not_seen` for a ride whose request never came.
 */
export const takeFacts: Handle = async (tx, facts) => {
  const [first] = facts;
  if (first === undefined) return;
  const eventTime = await EventTime.of(tx, first);
  const keysOf = (family: string): string[] => [
    ...new Set(facts.filter(({ type }) => type.startsWith(family)).map(({ key }) => key)),
  ];
  const rides = await Rides.of(tx, keysOf('ride.'));
  const shifts = await Shifts.of(tx, keysOf('driver.'));
  const [sums, askers] = [new Sums(), new Askers()];
  const books: Books = { rides, shifts, sums, askers };
  for (const fact of facts) {
    const known = read(fact);
    if (known === null) continue;
    const atMs = happenedMs(fact);
    new Step(fact, atMs, eventTime.isLate(fact, atMs), books).take(known);
  }
  await eventTime.write(tx);
  await rides.write(tx);
  await shifts.write(tx);
  // Rows of all partitions: whoever has changed one keeps the others waiting until the commit.
  await askers.write(tx);
  await sums.write(tx);
};

interface Books {
  readonly rides: Rides;
  readonly shifts: Shifts;
  readonly sums: Sums;
  readonly askers: Askers;
}

/** What one fact changes. */
class Step {
  constructor(
    private readonly fact: Fact,
    private readonly atMs: number,
    private readonly isLate: boolean,
    private readonly books: Books,
  ) {}

  take(known: Read): void {
    switch (known.type) {
      case 'quote.issued':
        return this.quoted(known.data);
      case 'driver.went_online':
        return this.wentOnline(known.data);
      case 'driver.went_offline':
        return this.wentOffline();
      case 'ride.scheduled':
      case 'ride.rescheduled':
        return this.books.rides.put(this.fact.key, asked(known.data, null));
      case 'ride.requested':
        return this.requested(known.data);
      case 'ride.driver_assigned':
        return this.assigned();
      case 'ride.driver_unassigned':
        return this.unassigned();
      case 'ride.started':
        return this.started();
      case 'ride.route_changed':
        return this.rerouted(known.data);
      case 'ride.completed':
        return this.completed(known.data);
      case 'ride.cancelled':
        return this.cancelled(known.data);
      case 'ride.no_driver_found':
        return this.ended('noDriver');
      case 'ride.payment_failed':
        return this.ended('paymentFailed');
    }
  }

  /** A quote for another way of a ride under way is no step before a request. */
  private quoted({ pickupCell, changesRideId }: Data<'quote.issued'>): void {
    if (changesRideId === undefined) this.books.sums.add('quoted', regionOf(pickupCell), this.atMs);
  }

  private wentOnline({ cell }: Data<'driver.went_online'>): void {
    this.books.shifts.begin(this.fact.key, { region: regionOf(cell), onlineMs: this.atMs });
    if (cell !== undefined) this.count('freed', cell);
  }

  private wentOffline(): void {
    const shift = this.books.shifts.end(this.fact.key);
    if (shift) this.books.sums.addTime('onlineSeconds', shift.region, shift.onlineMs, this.atMs);
  }

  private requested(data: Data<'ride.requested'>): void {
    const ride = asked(data, this.atMs);
    this.books.rides.put(this.fact.key, ride);
    this.count('requested', ride.cell);
    if (!this.isLate) this.books.askers.ask(data.riderId, ride.cell, this.atMs);
    this.add('requested', ride);
  }

  private assigned(): void {
    const ride = this.ride();
    this.count('assigned', ride.cell);
    if (!ride.matched) {
      this.add('matched', ride);
      if (ride.requestedMs !== null) this.spread('matchSeconds', ride, this.atMs - ride.requestedMs);
    }
    this.change({ assignedMs: this.atMs, matched: true });
  }

  /** A driver who does not go on with it is free on the way to the pickup, if not there. */
  private unassigned(): void {
    const ride = this.ride();
    this.freed(ride, ride.cell);
    this.change({ assignedMs: null });
  }

  private started(): void {
    const ride = this.ride();
    if (ride.requestedMs !== null) this.spread('waitSeconds', ride, this.atMs - ride.requestedMs);
    this.change({ startedMs: this.atMs });
  }

  /** The way is new from here on, and so is when it should be over. */
  private rerouted({ dropoffCell, durationSeconds }: Data<'ride.route_changed'>): void {
    this.change({ dropoffCell: dropoffCell ?? null, durationSeconds });
  }

  private completed(data: Data<'ride.completed'>): void {
    const ride = this.ride();
    const { startedMs, durationSeconds } = ride;
    // Who ends early is not where, and not when, they were expected.
    if (data.ended === undefined && startedMs !== null && durationSeconds !== null)
      this.spread('etaErrorSeconds', ride, Math.abs(this.atMs - startedMs - durationSeconds * 1_000));
    this.freed(ride, data.ended === undefined ? ride.dropoffCell : null);
    this.add(`revenueMinor:${data.currency}`, ride, data.chargeMinor);
    this.ended('completed');
  }

  private cancelled(data: Data<'ride.cancelled'>): void {
    const ride = this.ride();
    this.freed(ride, ride.cell);
    if (data.feeMinor > 0) this.add(`revenueMinor:${data.currency}`, ride, data.feeMinor);
    this.ended('cancelled');
  }

  private ended(how: Extract<HourCount, 'completed' | 'cancelled' | 'noDriver' | 'paymentFailed'>): void {
    const ride = this.ride();
    if (how !== 'paymentFailed') this.count(how, ride.cell);
    this.add(how, ride);
    this.books.rides.end(this.fact.key);
  }

  /** Its driver was busy with it until now, and is free in a cell, if that is known. */
  private freed({ cell, assignedMs }: RideUnderWay, where: string | null): void {
    if (assignedMs === null) return;
    this.books.sums.addTime('busySeconds', regionOf(cell), assignedMs, this.atMs);
    if (where !== null) this.count('freed', where);
  }

  private change(what: Partial<RideUnderWay>): void {
    this.books.rides.put(this.fact.key, Object.assign(this.ride(), what));
  }

  private ride(): Readonly<RideUnderWay> {
    const ride = this.books.rides.get(this.fact.key);
    if (ride === undefined) throw new CodedError('ride_not_seen', `${this.fact.id} has no request before it`);
    return ride;
  }

  /** By cell and minute; a fact that comes too late changes no minute any more. */
  private count(what: DemandCount, cell: string): void {
    if (!this.isLate) this.books.sums.count(what, cell, this.atMs);
  }

  /** In the hour in which the ride was asked for: there a funnel's steps are of the same rides. */
  private add(what: HourCount, ride: RideUnderWay, value = 1): void {
    this.books.sums.add(what, regionOf(ride.cell), ride.requestedMs ?? this.atMs, value);
  }

  private spread(what: Parameters<Sums['spread']>[0], ride: RideUnderWay, ms: number): void {
    this.books.sums.spread(what, regionOf(ride.cell), ride.requestedMs ?? this.atMs, ms / 1_000);
  }
}

/** Older requests say places and no cells. */
function asked(
  { pickup, pickupCell, dropoff, dropoffCell, durationSeconds }: Data<'ride.requested'>,
  requestedMs: number | null,
): RideUnderWay {
  return {
    cell: pickupCell ?? latLngToCell(pickup.lat, pickup.lng, CELL_RESOLUTION),
    dropoffCell: dropoffCell ?? latLngToCell(dropoff.lat, dropoff.lng, CELL_RESOLUTION),
    ...{ requestedMs, durationSeconds },
    ...{ assignedMs: null, startedMs: null, matched: false },
  };
}
