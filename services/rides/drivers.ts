import type { Pool } from 'pg';
import { sealedFact } from '../../contracts/personal';
import { writtenFact } from '../../contracts/writtenFact';
import { DomainError } from '../../domain/errors';
import type { Vehicle } from '../../domain/fare';
import { stepId } from '../../domain/names';
import { factId, recordFact } from '../../platform/outbox';
import type { Vault } from '../../platform/personal';
import { withTransaction } from '../../platform/postgres';
import type { Queryable, Tx } from '../../platform/postgres';
import { lockLeasedOffer, withdrawOffer, type OfferGone } from './offers';

export interface Driver {
  readonly driverId: string;
  readonly version: number;
  readonly name: string;
  readonly plate: string;
  readonly product: Vehicle;
  /** The fleet that may send the driver's positions. */
  readonly fleetId: string | null;
  readonly online: boolean;
  /** The one live offer and the one live ride that the driver holds. */
  readonly offerId: string | null;
  readonly rideId: string | null;
  /** The ride that is theirs when the present one is over. */
  readonly nextRideId: string | null;
}

export type DriverDetails = Pick<Driver, 'name' | 'plate' | 'product' | 'fleetId'>;

const columns = `driver_id as "driverId", version, name, plate, product, fleet_id as "fleetId", online, offer_id as "offerId", ride_id as "rideId", next_ride_id as "nextRideId"`;

/** The driver, or null where nobody has registered with this id. */
export async function getDriver(db: Queryable, driverId: string): Promise<Driver | null> {
  const { rows } = await db.query<Driver>(`select ${columns} from drivers where driver_id = $1`, [driverId]);
  return rows[0] ?? null;
}

/** Registers a driver, or changes what is known of one; the same details again change nothing. */
export async function registerDriver(
  pool: Pool,
  {
    driverId,
    details,
    at,
    vault,
    topicPrefix = '',
  }: { driverId: string; details: DriverDetails; at: string; vault: Vault; topicPrefix?: string },
): Promise<Driver> {
  const { name, plate, product, fleetId } = details;
  const register = async (tx: Tx): Promise<Driver> => {
    await tx.query(
      `insert into drivers (driver_id, version, name, plate, product, online) values ($1, 0, $2, $3, $4, false)
       on conflict (driver_id) do nothing`,
      [driverId, name, plate, product],
    );
    const driver = await lockDriver(tx, driverId);
    const same =
      driver.name === name &&
      driver.plate === plate &&
      driver.product === product &&
      driver.fleetId === fleetId;
    if (driver.version > 0 && same) return driver;
    const changed = { ...driver, name, plate, product, fleetId, version: driver.version + 1 };
    const type = 'driver.registered';
    const data = { driverId, name, plate, product, ...(fleetId !== null && { fleetId }) };
    const { sent } = sealedFact(vault.seal, { id: factId(type, driverId, changed.version), type, data });
    await recordDriverFact(tx, changed, { type, data, sent, at, topicPrefix });
    return changed;
  };
  return vault.withKeys(() => withTransaction(pool, register));
}

/** A change of a driver's shift, at a time (ISO 8601 in UTC). */
export interface ShiftChange {
  readonly driverId: string;
  readonly at: string;
  readonly topicPrefix?: string;
}

/**
 * Begins a shift, in the H3 cell where the driver says to be; the same again changes nothing.
 * @throws DomainError `driver_unknown`
 */
export async function goOnline(
  pool: Pool,
  { driverId, at, cell, topicPrefix = '' }: ShiftChange & { readonly cell?: string | undefined },
): Promise<Driver> {
  return withTransaction(pool, async (tx) => {
    const driver = await lockDriver(tx, driverId);
    if (driver.online) return driver;
    const changed = { ...driver, online: true, version: driver.version + 1 };
    const data = cell === undefined ? { driverId } : { driverId, cell };
    await recordDriverFact(tx, changed, { type: 'driver.went_online', data, at, topicPrefix });
    return changed;
  });
}

/**
 * Ends a shift; the same again changes nothing. An open offer is withdrawn with it: of an accept and the end of the
 * shift exactly one wins. Whoever has a ride, also one just accepted, finishes it or gives it back first.
 * @returns the driver, and the round whose offer was withdrawn
 * @throws DomainError `driver_unknown`, `driver_busy`
 */
export async function goOffline(
  pool: Pool,
  change: ShiftChange,
): Promise<{ driver: Driver; withdrawn: OfferGone | null }> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const gone = await withTransaction(pool, (tx) => endShift(tx, change));
    if (gone !== 'offered meanwhile') return gone;
  }
  throw new Error(`impossible: driver ${change.driverId} gets offer after offer between two statements`);
}

/** An offer lasts for seconds: that one comes between two statements happens once, if at all. */
const MOST_ATTEMPTS = 10;

async function endShift(tx: Tx, { driverId, at, topicPrefix = '' }: ShiftChange) {
  // The offer is locked before its driver, as everywhere: the other way round would be a deadlock with its answer.
  const offer = await lockLeasedOffer(tx, driverId);
  const driver = await lockDriver(tx, driverId);
  if (!driver.online) return { driver, withdrawn: null };
  if (driver.offerId !== null && driver.offerId !== offer?.offerId) return 'offered meanwhile';
  const accepted = driver.offerId !== null && offer?.state === 'accepted' ? offer.rideId : null;
  const rideId = driver.rideId ?? driver.nextRideId ?? accepted;
  if (rideId !== null) {
    throw new DomainError('driver_busy', 'Finish the ride, or give it back, before going offline.', {
      rideId,
    });
  }
  const withdrawn = driver.offerId === null ? null : await withdrawOffer(tx, driver.offerId);
  const changed = { ...driver, offerId: null, online: false, version: driver.version + 1 };
  await recordDriverFact(tx, changed, { type: 'driver.went_offline', data: { driverId }, at, topicPrefix });
  return { driver: changed, withdrawn };
}

async function lockDriver(tx: Tx, driverId: string): Promise<Driver> {
  const { rows } = await tx.query<Driver>(`select ${columns} from drivers where driver_id = $1 for update`, [
    driverId,
  ]);
  if (!rows[0]) throw new DomainError('driver_unknown', 'Register before going online.');
  return rows[0];
}

/** A driver has many writers: its version comes from its locked row, and is part of the step's id. */
async function recordDriverFact(
  tx: Tx,
  driver: Driver,
  fact: {
    readonly type: string;
    readonly data: object;
    readonly sent?: object;
    readonly at: string;
    readonly topicPrefix: string;
  },
): Promise<void> {
  const { type, data, sent, at, topicPrefix } = fact;
  const { driverId, version } = driver;
  await tx.query(
    `update drivers set version = $2, name = $3, plate = $4, product = $5, fleet_id = $6, online = $7
     where driver_id = $1`,
    [driverId, version, driver.name, driver.plate, driver.product, driver.fleetId, driver.online],
  );
  await recordFact(tx, {
    stepId: stepId(driverId, type, version),
    aggregateId: driverId,
    version,
    source: '/hailway/rides',
    ...writtenFact({ type, at, data }, topicPrefix),
    ...(sent === undefined ? {} : { sent }),
  });
}
