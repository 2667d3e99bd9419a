import type { Client } from '@temporalio/client';
import { latLngToCell } from 'h3-js';
import type { Pool } from 'pg';
import { validate as isUuid } from 'uuid';
import { operations } from '../../contracts/api/operations';
import { DomainError } from '../../domain/errors';
import { CELL_RESOLUTION } from '../../domain/geo';
import { rideSignals, rideUpdates, rideWorkflowId } from '../../domain/names';
import type { AcceptedOffer } from '../../domain/sagas';
import { openEventStream, type MountOperation } from '../../platform/http';
import type { Logger } from '../../platform/log';
import type { Vault } from '../../platform/personal';
import { getDriver, goOffline, goOnline, registerDriver } from './drivers';
import type { OfferFeed } from './offerFeed';
import { acceptOffer, declineOffer, type OfferGone } from './offers';
import { viewDriver, viewOffer } from './views';

export interface DriverRoutesOptions {
  readonly pool: Pool;
  readonly temporal: Client;
  readonly feed: OfferFeed;
  readonly topicPrefix: string;
  readonly vault: Vault;
  readonly log: Pick<Logger, 'debug'>;
  /** How long a ride's workflow is waited for when it is told of an answer, in milliseconds. */
  readonly tellDeadlineMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Drivers' shifts and the offers made to them. */
export function driverRoutes(mount: MountOperation, options: DriverRoutesOptions): void {
  const { pool, feed, topicPrefix, vault, now } = options;
  const at = (): string => new Date(now()).toISOString();

  mount(operations.registerDriver, async ({ body, caller }) => {
    const driver = await registerDriver(pool, {
      driverId: caller.sub,
      details: body,
      at: at(),
      vault,
      topicPrefix,
    });
    return { status: 200, body: viewDriver(driver) };
  });

  mount(operations.getDriver, async ({ caller }) => ({
    status: 200,
    body: viewDriver(await registered(pool, caller.sub)),
  }));

  mount(operations.goOnline, async ({ body: { position }, caller }) => {
    const cell = position && latLngToCell(position.lat, position.lng, CELL_RESOLUTION);
    const driver = await goOnline(pool, { driverId: caller.sub, at: at(), cell, topicPrefix });
    return { status: 200, body: viewDriver(driver) };
  });

  mount(operations.goOffline, async ({ caller }) => {
    const change = { driverId: caller.sub, at: at(), topicPrefix };
    const { driver, withdrawn } = await goOffline(pool, change);
    if (withdrawn !== null) await tellOfOfferGone(options, withdrawn);
    return { status: 200, body: viewDriver(driver) };
  });

  mount(operations.driverOffers, async ({ headers, caller, req, res }) => {
    await registered(pool, caller.sub);
    const stream = openEventStream(req, res);
    const leave = feed.follow(caller.sub, headers['last-event-id'], {
      offered: (offer) => void stream.send({ id: offer.offerId, event: 'offer', data: viewOffer(offer) }),
      over: (offerId) => void stream.send({ event: 'offer_over', data: { offerId } }),
    });
    stream.onEnd(leave);
  });

  mount(operations.acceptOffer, async ({ params, caller }) => {
    const offer = { offerId: knownForm(params.offerId), driverId: caller.sub };
    const { rideId } = await acceptOffer(pool, { ...offer, now: at() });
    await tellOfAccept(options, rideId, offer);
    return { status: 200, body: { offerId: offer.offerId, rideId, state: 'accepted' } };
  });

  mount(operations.declineOffer, async ({ params, caller }) => {
    const offerId = knownForm(params.offerId);
    const declined = await declineOffer(pool, { offerId, driverId: caller.sub });
    await tellOfOfferGone(options, declined);
    return { status: 200, body: { offerId, rideId: declined.rideId, state: 'declined' } };
  });
}

async function registered(pool: Pool, driverId: string): ReturnType<typeof registerDriver> {
  const driver = await getDriver(pool, driverId);
  if (driver === null) throw new DomainError('driver_unknown', 'Register first.');
  return driver;
}

/** A malformed id is an unknown one. */
function knownForm(offerId: string): string {
  if (!isUuid(offerId)) throw new DomainError('offer_not_found', 'There is no such offer.');
  return offerId;
}

/**
 * The winner is committed in Postgres: the ride is told so that it goes on at once, and finds the winner by itself at
 * the end of the round where this does not reach it.
 */
function tellOfAccept(options: DriverRoutesOptions, rideId: string, offer: AcceptedOffer): Promise<void> {
  return tell(options, rideId, (ride) =>
    ride.executeUpdate<unknown, [AcceptedOffer]>(rideUpdates.offerAccepted, {
      updateId: offer.offerId,
      args: [offer],
    }),
  );
}

/** Where nobody of a round is left to say yes, the ride need not wait for the end of the round. */
async function tellOfOfferGone(
  options: DriverRoutesOptions,
  { rideId, round, openOffersLeft }: OfferGone,
): Promise<void> {
  if (openOffersLeft > 0) return;
  await tell(options, rideId, (ride) => ride.signal(rideSignals.offersDeclined, { round }));
}

type RideHandle = ReturnType<Client['workflow']['getHandle']>;

async function tell(
  { temporal, tellDeadlineMs, log }: DriverRoutesOptions,
  rideId: string,
  message: (ride: RideHandle) => Promise<unknown>,
): Promise<void> {
  const ride = temporal.workflow.getHandle(rideWorkflowId(rideId));
  try {
    await temporal.withDeadline(Date.now() + tellDeadlineMs, () => message(ride));
  } catch (error) {
    log.debug({ err: error, rideId }, 'the ride was not told of an answer and will find it');
  }
}
