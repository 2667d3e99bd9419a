import { topicsRead } from '../../contracts/catalogue';
import { skipReason } from '../../contracts/knownFact';
import { inboxMigrations, migrationSet } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { takeFacts } from './handler';

/** Demand and supply by cell and minute; what became of rides by region and hour. */
export const analytics: Projection = {
  name: 'analytics',
  topics: topicsRead('analytics'),
  migrations: [inboxMigrations, migrationSet('analytics', 'consumers/analytics/migrations')],
  handle: takeFacts,
  skip: skipReason('analytics'),
  tables: ['demand', 'askers', 'ride_cells', 'shifts', 'hours', 'spreads', 'event_times'].map((name) => ({
    name,
  })),
  wholeOnly: 'each of its rows counts the facts of many rides, some of which were requested before any time',
};
