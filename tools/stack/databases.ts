import { existsSync } from 'node:fs';
import { Client } from 'pg';
import {
  createPool,
  inboxMigrations,
  isUniqueViolation,
  migrate,
  migrationSet,
  outboxMigrations,
  type MigrationSet,
} from '../../platform/postgres';
import { ensureRidePartitions } from '../../services/rides/store';

/** Who keeps something in Postgres: each has a database and a role of its own. */
export const owners = ['rides', 'payments', 'pricing', 'analytics', 'audit', 'notifications'] as const;
export type Owner = (typeof owners)[number];

const migrations: Readonly<Record<Owner, readonly MigrationSet[]>> = {
  rides: [outboxMigrations, migrationSet('rides', 'services/rides/migrations')],
  payments: [outboxMigrations, migrationSet('payments', 'services/payments/migrations')],
  pricing: [outboxMigrations, migrationSet('pricing', 'services/pricing/migrations')],
  analytics: [inboxMigrations, migrationSet('analytics', 'consumers/analytics/migrations')],
  audit: [inboxMigrations, migrationSet('audit', 'consumers/audit/migrations')],
  notifications: [inboxMigrations, migrationSet('notifications', 'consumers/notifications/migrations')],
};

/** Brings an owner's database up to date. Safe to run twice. */
export async function migrateOwner(owner: Owner, url: string): Promise<void> {
  await migrate(
    url,
    migrations[owner].filter(({ dir }) => existsSync(dir)),
  );
  if (owner !== 'rides') return;
  const pool = createPool(url, { applicationName: 'migrate', max: 1 });
  await ensureRidePartitions(pool).finally(() => pool.end());
}

export interface OwnedDatabase {
  readonly owner: Owner;
  readonly database: string;
  readonly password: string;
}

const duplicateRole = '42710';
const duplicateDatabase = '42P04';

/**
 * Makes sure that the owner's role (named like the owner) and the database exist, closed to every other role.
 * @param adminUrl of a user who may create both
 * @returns the database's URL for its owner
 */
export async function ensureDatabase(adminUrl: string, wanted: OwnedDatabase): Promise<string> {
  const { owner, database, password } = wanted;
  const admin = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  await admin.connect();
  try {
    const role = admin.escapeIdentifier(owner);
    const name = admin.escapeIdentifier(database);
    const secret = admin.escapeLiteral(password);
    await unlessThere(duplicateRole, () => admin.query(`create role ${role} login password ${secret}`));
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) {
      // A user who is no superuser gives a database only to a role that he is a member of.
      await admin.query(`grant ${role} to current_user`).catch(() => {});
      await unlessThere(duplicateDatabase, () => admin.query(`create database ${name} owner ${role}`));
    }
    await admin.query(`revoke connect, temporary on database ${name} from public`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.username = owner;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

async function unlessThere(code: string, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    // Two at once: the unique index of the catalogue refuses the second.
    if ((error as { code?: string }).code !== code && !isUniqueViolation(error)) throw error;
  }
}

/**
 * Makes and migrates every owner's database. One that has an address of its own (`given`) is only migrated.
 * @returns each owner's URL
 */
export async function prepareDatabases(
  adminUrl: string,
  options: {
    readonly password: (owner: Owner) => string;
    readonly given?: Readonly<Partial<Record<Owner, string>>>;
  },
): Promise<Record<Owner, string>> {
  const urls: Partial<Record<Owner, string>> = { ...options.given };
  for (const owner of owners) {
    urls[owner] ??= await ensureDatabase(adminUrl, {
      owner,
      database: owner,
      password: options.password(owner),
    });
  }
  await Promise.all(owners.map((owner) => migrateOwner(owner, urls[owner] as string)));
  return urls as Record<Owner, string>;
}
