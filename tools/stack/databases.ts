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
import { auditRights } from '../../consumers/audit/rights';
import { ledgerRights } from '../../services/payments/books/rights';
import { ensureRidePartitions } from '../../services/rides/store';

/** Who keeps something in Postgres: each has a database and a role of its own. */
export const owners = [
  'rides',
  'payments',
  'pricing',
  'analytics',
  'audit',
  'notifications',
  'tracks',
  'keys',
] as const;
export type Owner = (typeof owners)[number];

const migrations: Readonly<Record<Owner, readonly MigrationSet[]>> = {
  rides: [outboxMigrations, migrationSet('rides', 'services/rides/migrations')],
  payments: [outboxMigrations, migrationSet('payments', 'services/payments/migrations')],
  pricing: [outboxMigrations, inboxMigrations, migrationSet('pricing', 'services/pricing/migrations')],
  analytics: [outboxMigrations, inboxMigrations, migrationSet('analytics', 'consumers/analytics/migrations')],
  audit: [inboxMigrations, migrationSet('audit', 'consumers/audit/migrations')],
  notifications: [inboxMigrations, migrationSet('notifications', 'consumers/notifications/migrations')],
  tracks: [outboxMigrations, inboxMigrations, migrationSet('tracks', 'consumers/tracks/migrations')],
  keys: [migrationSet('keys', 'platform/migrations-keys')],
};

/**
 * Whose tables belong to a role of their own that nobody logs in as: its processes can do with them what they are
 * granted, and no more.
 */
const apart: Readonly<Partial<Record<Owner, TableRights>>> = {
  payments: ledgerRights,
  audit: auditRights,
};

interface TableRights {
  /** Tables that rows are only added to, and in which columns. */
  readonly insertOnly: Readonly<Record<string, readonly string[]>>;
  readonly readOnly: readonly string[];
}

const tablesOwner = (role: string): string => `${role}_owner`;

/**
 * Brings an owner's database up to date. Safe to run twice.
 * @param url of the role that its processes use
 * @param adminUrl of who has made it with `ensureDatabase`; without it that role has to own the tables itself
 */
export async function migrateOwner(owner: Owner, url: string, adminUrl?: string): Promise<void> {
  const rights = adminUrl === undefined ? undefined : apart[owner];
  const ownerUrl = rights === undefined ? url : asTablesOwner(url, adminUrl as string);
  await migrate(
    ownerUrl,
    migrations[owner].filter(({ dir }) => existsSync(dir)),
  );
  if (rights !== undefined) await grantRights(ownerUrl, new URL(url).username, rights);
  if (owner !== 'rides') return;
  const pool = createPool(url, { applicationName: 'migrate', max: 1 });
  await ensureRidePartitions(pool).finally(() => pool.end());
}

/** The database that `url` names, for an administrator who acts as the role that owns its tables. */
export function asTablesOwner(url: string, adminUrl: string): string {
  const { username, pathname } = new URL(url);
  const admin = new URL(adminUrl);
  admin.pathname = pathname;
  admin.searchParams.set('options', `-c role=${tablesOwner(username)}`);
  return admin.href;
}

/** What the processes' role may do, anew: whatever it could do before. */
async function grantRights(ownerUrl: string, roleName: string, rights: TableRights): Promise<void> {
  const { insertOnly, readOnly } = rights;
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const role = client.escapeIdentifier(roleName);
    const named = (names: readonly string[]): string =>
      names.map((name) => client.escapeIdentifier(name)).join(', ');
    const { rows } = await client.query<{ name: string }>(
      // Partitions are reached through their tables, with the rights on these.
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and not relispartition and relname not like 'migrations\\_%'`,
    );
    const others = rows
      .map(({ name }) => name)
      .filter((name) => !readOnly.includes(name) && !(name in insertOnly));
    await client.query(
      [
        'begin',
        // Two at once would trip over each other.
        `select pg_advisory_xact_lock(hashtext('hailway rights'))`,
        `revoke all on all tables in schema public from ${role}`,
        `grant select, insert, update, delete on ${named(others)} to ${role}`,
        `grant select on ${named([...readOnly, ...Object.keys(insertOnly)])} to ${role}`,
        ...Object.entries(insertOnly).map(
          ([table, columns]) => `grant insert (${named(columns)}) on ${named([table])} to ${role}`,
        ),
        'commit',
      ].join('; '),
    );
  } finally {
    await client.end();
  }
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
    const name = admin.escapeIdentifier(database);
    const secret = admin.escapeLiteral(password);
    // Two at once would trip over each other; the lock goes with the connection.
    await admin.query(`select pg_advisory_lock(hashtext('hailway databases'))`);
    const ensureRole = async (wantedRole: string, login: string): Promise<string> => {
      const known = await admin.query('select 1 from pg_roles where rolname = $1', [wantedRole]);
      const identifier = admin.escapeIdentifier(wantedRole);
      if (known.rowCount === 0) await admin.query(`create role ${identifier} ${login}`);
      return identifier;
    };
    const role = await ensureRole(roleName, `login password ${secret}`);
    const isApart = wanted.owner in apart;
    const ownerRole = isApart ? await ensureRole(tablesOwner(roleName), 'nologin') : role;
    // A user who is no superuser gives things only to a role that he is a member of.
    for (const one of new Set([role, ownerRole]))
      await admin.query(`grant ${one} to current_user`).catch(() => {});
    const databases = await admin.query('select 1 from pg_database where datname = $1', [database]);
    if (databases.rowCount === 0) await admin.query(`create database ${name} owner ${ownerRole}`);
    else if (isApart) await giveTables(adminUrl, database, { from: role, to: ownerRole });
    await admin.query(`revoke connect, temporary on database ${name} from public`);
    if (isApart) await admin.query(`grant connect on database ${name} to ${role}`);
  } finally {
    await admin.end();
  }
  return ownersUrl(adminUrl, wanted);
}

/** Where an owner's database is, on the server of an administrator's URL. */
export function ownersUrl(
  adminUrl: string,
  {
    owner,
    role = owner,
    database = owner,
    password,
  }: Omit<OwnedDatabase, 'database'> & { database?: string },
): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

/** A database that was made before its tables had an owner of their own: whatever the role has in it, and itself. */
async function giveTables(
  adminUrl: string,
  database: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(`reassign owned by ${from} to ${to}`);
  } finally {
    await client.end();
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
  const isGiven = (owner: Owner): boolean => options.given?.[owner] !== undefined;
  await Promise.all(
    owners.map((owner) => migrateOwner(owner, urls[owner] as string, isGiven(owner) ? undefined : adminUrl)),
  );
  return urls as Record<Owner, string>;
}
