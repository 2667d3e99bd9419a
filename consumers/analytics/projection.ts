import { topicsRead } from '../../contracts/catalogue';
import { skipReason } from '../../contracts/knownFact';
import { inboxMigrations, migrationSet } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { countDemand } from './handler';

/** Demand by cell and minute. */
export const analytics: Projection = {
  name: 'analytics',
  topics: topicsRead('analytics'),
  migrations: [inboxMigrations, migrationSet('analytics', 'consumers/analytics/migrations')],
  handle: countDemand,
  skip: skipReason('analytics'),
  tables: [{ name: 'demand' }, { name: 'ride_cells' }],
  wholeOnly: 'each of its rows counts the facts of many rides, some of which were requested before any time',
};
