import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { workflowTypes } from '../../domain/names';
import type { RideStart } from '../../domain/sagas';
import { startOnce } from '../../platform/startOnce';
import { rideStartOptions } from './rideStart';
import { getRide } from './store';

/**
 * Starts the workflow of a ride that was released from its schedule. Safe to repeat, at any time: it starts once, and
 * not where the ride has gone on since.
 */
export async function startReleasedRide(pool: Pool, temporal: Client, start: RideStart): Promise<void> {
  const { rideId } = start.request;
  const ride = await getRide(pool, rideId);
  // Retention makes Temporal forget a ride that is over; Postgres does not.
  if (ride?.version !== start.released?.version) return;
  await startOnce(temporal, workflowTypes.ride, rideStartOptions(start));
}
