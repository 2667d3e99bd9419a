import { topicsRead } from '../../contracts/catalogue';
import { skipReason } from '../../contracts/knownFact';
import { inboxMigrations, migrationSet } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { keepSurges } from './surge';

/** The surge of each cell, beside the quotes that it is for. */
export const pricing: Projection = {
  name: 'pricing',
  topics: topicsRead('pricing'),
  migrations: [inboxMigrations, migrationSet('pricing', 'services/pricing/migrations')],
  handle: keepSurges,
  skip: skipReason('pricing'),
  tables: [{ name: 'surges', key: 'cell' }],
};
