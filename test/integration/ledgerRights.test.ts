import { Client } from 'pg';
import { withTransaction, type Pool } from '../../platform/postgres';
import { balances, balancesOf, book } from '../../services/payments/books/ledger';
import { asTablesOwner, ensureDatabase, migrateOwner } from '../../tools/stack/databases';
import { fareBooking, ownersPool, paymentsDatabase } from '../support/payments';
import { postgresUrl } from '../support/servers';

let pool: Pool;
let owner: Pool;

beforeAll(async () => {
  pool = await paymentsDatabase();
  owner = ownersPool(pool);
  await withTransaction(pool, (tx) => book(tx, fareBooking()));
});
afterAll(() => Promise.all([pool.end(), owner.end()]));

const url = (): string => pool.options.connectionString as string;

describe('the role that the processes use', () => {
  test.each([
    'update ledger_entries set amount_minor = 1',
    'delete from ledger_entries',
    'truncate ledger_entries',
    'update ledger_transactions set kind = $$x$$',
    'delete from ledger_transactions',
    'truncate ledger_transactions cascade',
    'update ledger_balances set amount_minor = 0',
    `insert into ledger_balances (account, currency, part, amount_minor) values ('x', 'USD', 0, 1)`,
    'delete from ledger_balances',
    // Whoever could choose the transaction's number could keep it open.
    `insert into ledger_transactions (transaction_id, step_id, payment_id, kind, recorded_at, xid)
       values (gen_random_uuid(), 'x', gen_random_uuid(), 'x', now(), '1')`,
  ])('is denied: %s', async (sql) => {
    await expect(pool.query(sql)).rejects.toThrow(/^permission denied for table ledger_/);
  });

  test.each([
    'alter table ledger_entries disable trigger all',
    'alter table ledger_entries drop constraint ledger_entries_amount_minor_check',
    'drop trigger ledger_append_only on ledger_entries',
    'drop trigger ledger_balance on ledger_entries',
    'drop table ledger_entries',
    'drop function ledger_append_only cascade',
  ])('does not own what it would take: %s', async (sql) => {
    await expect(pool.query(sql)).rejects.toThrow(/^must be owner of /);
  });

  test.each([
    ['create table mine (id integer)', /^permission denied for schema public/],
    [
      'create or replace function ledger_balance() returns trigger language plpgsql as $$ begin return null; end $$',
      /^permission denied for schema public/,
    ],
    ['drop schema public cascade', /^must be owner of schema public/],
    ['set session_replication_role = replica', /^permission denied to set parameter/],
    ['set role test_payments_owner', /^permission denied to set role/],
  ])('cannot go around it: %s', async (sql, refusal) => {
    await expect(pool.query(sql)).rejects.toThrow(refusal);
  });

  test('can do with every other table as it needs', async () => {
    const { rows } = await pool.query<{ name: string; rights: boolean }>(
      `select tablename as name, bool_and(has_table_privilege(tablename, verb)) as rights
       from pg_tables, unnest(array['select', 'insert', 'update', 'delete']) as verb
       where schemaname = 'public' and tablename not like 'ledger%' and tablename not like 'migrations%'
         and tablename !~ '^outbox_[0-3]$'
       group by tablename`,
    );
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(({ rights }) => !rights)).toEqual([]);
  });

  test('gives back the storage of the outbox without owning it', async () => {
    await pool.query(
      `insert into outbox (segment, topic, key, headers, value) values ((outbox_segment() + 1) % 4, 't', 'k', '{}', '{}')`,
    );
    const empty = async () =>
      (
        await pool.query<{ emptied: boolean }>(
          'select outbox_empty_segment(((outbox_segment() + 1) % 4)::smallint) as emptied',
        )
      ).rows;
    expect(await empty()).toEqual([{ emptied: false }]);
    await pool.query('update relay_lanes set from_snapshot = pg_current_snapshot()');
    expect(await empty()).toEqual([{ emptied: true }]);
    await expect(pool.query('truncate outbox')).rejects.toThrow(/^permission denied for table outbox/);
  });
});

test.each([
  'update ledger_entries set amount_minor = 1',
  'delete from ledger_transactions',
  'truncate ledger_transactions cascade',
])('not even the owner, by accident: %s', async (sql) => {
  await expect(owner.query(sql)).rejects.toThrow(/append-only/);
});

test('what is there is migrated again, with the same rights', async () => {
  await migrateOwner('payments', url(), postgresUrl());
  await expect(pool.query('delete from ledger_entries')).rejects.toThrow(/permission denied/);
  await withTransaction(pool, (tx) => book(tx, fareBooking()));
});

test('a database from before, whose tables its processes owned, gives them up', async () => {
  const { pathname } = new URL(url());
  const database = `${pathname.slice(1)}_old`;
  const role = `${database}_role`;
  const admin = new Client({ connectionString: postgresUrl() });
  await admin.connect();
  await admin.query(`create role ${role} login password '${role}'`);
  await admin.query(`create database ${database} owner ${role}`);
  const oldUrl = new URL(postgresUrl());
  Object.assign(oldUrl, { username: role, password: role, pathname: `/${database}` });
  await migrateOwner('payments', oldUrl.href);

  const wanted = { owner: 'payments', database, role, password: role } as const;
  await migrateOwner('payments', await ensureDatabase(postgresUrl(), wanted), postgresUrl());

  const process = new Client({ connectionString: oldUrl.href });
  await process.connect();
  await expect(process.query('delete from ledger_entries')).rejects.toThrow(/permission denied/);
  await expect(process.query('drop table ledger_entries')).rejects.toThrow(/must be owner/);
  await process.end();
  await admin.query(`drop database ${database}`);
  await admin.query(`drop role ${role}`);
  await admin.query(
    `drop role ${new URL(asTablesOwner(oldUrl.href, postgresUrl())).searchParams.get('options')?.split('=')[1]}`,
  );
  await admin.end();
});

describe('balances', () => {
  test('are what the entries come to, however many book at once', async () => {
    const bookings = Array.from({ length: 200 }, (_, i) =>
      fareBooking({
        entries: [
          { account: 'provider_clearing', amountMinor: 100 + i, currency: i % 2 === 0 ? 'USD' : 'JPY' },
          {
            account: `driver_payable:driver-${i % 3}`,
            amountMinor: -90 - i,
            currency: i % 2 === 0 ? 'USD' : 'JPY',
          },
          { account: 'platform_revenue', amountMinor: -10, currency: i % 2 === 0 ? 'USD' : 'JPY' },
        ],
      }),
    );
    await Promise.all(bookings.map((booking) => withTransaction(pool, (tx) => book(tx, booking))));
    const { rows } = await pool.query(
      `select account, currency, sum(amount_minor)::bigint as "amountMinor" from ledger_entries
       group by account, currency order by account, currency`,
    );
    expect(await balances(pool)).toEqual(rows);
    const ofOne = rows.filter(({ account }: { account: string }) => account === 'driver_payable:driver-1');
    expect(ofOne).toHaveLength(2);
    expect(await balances(pool, { account: 'driver_payable:driver-1' })).toEqual(ofOne);
  });

  test('are looked up in a few rows, however many entries there are', async () => {
    const { rows } = await pool.query<{ most: number }>(
      'select max(n) as most from (select count(*) as n from ledger_balances group by account, currency) as of_account',
    );
    expect(rows[0]!.most).toBeLessThanOrEqual(16);
  });

  test('of a booking that is rolled back stay as they were', async () => {
    const before = await balances(pool);
    const undone = withTransaction(pool, async (tx) => {
      await book(tx, fareBooking());
      expect(await balances(tx)).not.toEqual(before);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await balances(pool)).toEqual(before);
  });

  test('of a ride’s payment are its own', async () => {
    const booking = fareBooking();
    await withTransaction(pool, (tx) => book(tx, booking));
    expect(await balancesOf(pool, booking.paymentId)).toEqual([
      { account: 'driver_payable:driver-1', currency: 'USD', amountMinor: -1_200 },
      { account: 'platform_revenue', currency: 'USD', amountMinor: -300 },
      { account: 'provider_clearing', currency: 'USD', amountMinor: 1_500 },
    ]);
  });
});
