import { topicsRead } from '../../contracts/catalogue';
import { skipReason } from '../../contracts/knownFact';
import { inboxMigrations, migrationSet } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { notify } from './handler';

/**
 * What people are told. Webhooks and what is posted to them are not made anew: a replay runs where nobody has registered
 * one, so it posts nothing.
 */
export const notifications: Projection = {
  name: 'notifications',
  topics: topicsRead('notifications'),
  migrations: [inboxMigrations, migrationSet('notifications', 'consumers/notifications/migrations')],
  handle: notify,
  skip: skipReason('notifications'),
  setsOff: 'posts to webhooks',
  tables: [
    {
      name: 'notifications',
      notOfFacts: ['created_at'],
      key: `coalesce(ride_id::text, split_part(fact_id, '/', 2))`,
      time: 'occurred_at',
    },
    { name: 'ride_riders', key: 'ride_id::text' },
  ],
};
