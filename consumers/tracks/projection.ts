import { topicsRead } from '../../contracts/catalogue';
import { skipReason } from '../../contracts/knownFact';
import { inboxMigrations, migrationSet, outboxMigrations } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { followRides } from './paths/handler';

/**
 * Who drives which ride when. What positions have made (the ways of rides, the zones that drivers are in) is kept beside it
 * and is not made anew: positions are gone after an hour, and what was told of zones are facts.
 */
export const tracks: Projection = {
  name: 'tracks',
  topics: topicsRead('tracks'),
  migrations: [outboxMigrations, inboxMigrations, migrationSet('tracks', 'consumers/tracks/migrations')],
  handle: followRides,
  skip: skipReason('tracks'),
  tables: [{ name: 'ride_paths', key: 'ride_id::text' }],
};
