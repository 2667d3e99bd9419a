import { topicsRead } from '../../contracts/catalogue';
import { inboxMigrations, migrationSet } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { storeFacts } from './handler';

/** Every fact: the store that the others are made anew from. */
export const audit: Projection = {
  name: 'audit',
  topics: topicsRead('audit'),
  migrations: [inboxMigrations, migrationSet('audit', 'consumers/audit/migrations')],
  handle: storeFacts,
  tables: [],
  notReplayed: 'it is what others are replayed from, and nothing of it is ever replaced',
};
