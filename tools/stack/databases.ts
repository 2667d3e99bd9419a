import { existsSync } from 'node:fs';
import { Client } from 'pg';
import {
  createPool,
  inboxMigrations,
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
  /** The owner's role; named like the owner unless told otherwise. */
  readonly role?: string;
}

/**
 * Makes sure that the owner's role and the database exist, closed to every other role.
 * @param adminUrl of a user who may create both
 * @returns the database's URL for its owner
 */
export async function ensureDatabase(adminUrl: string, wanted: OwnedDatabase): Promise<string> {
  const { database, password, role: roleName = wanted.owner } = wanted;
  const admin = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  await admin.connect();
  try {
    const role = admin.escapeIdentifier(roleName);
    const name = admin.escapeIdentifier(database);
    const secret = admin.escapeLiteral(password);
    // Two at once would trip over each other; the lock goes with the connection.
    await admin.query(`select pg_advisory_lock(hashtext('hailway databases'))`);
    const roles = await admin.query('select 1 from pg_roles where rolname = $1', [roleName]);
    if (roles.rowCount === 0) await admin.query(`create role ${role} login password ${secret}`);
    const databases = await admin.query('select 1 from pg_database where datname = $1', [database]);
    if (databases.rowCount === 0) {
      // A user who is no superuser gives a database only to a role that he is a member of.
      await admin.query(`grant ${role} to current_user`).catch(() => {});
      await admin.query(`create database ${name} owner ${role}`);
    }
    await admin.query(`revoke connect, temporary on database ${name} from public`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.username = roleName;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
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
