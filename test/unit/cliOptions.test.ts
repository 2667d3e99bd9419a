import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf, databaseOf } from '../../tools/cli/addresses';
import { dlq } from '../../tools/cli/dlq';
import { replay } from '../../tools/cli/replay';
import { UsageError } from '../../tools/commandLine';
import { parseFaultOptions } from '../../tools/faults/options';
import { openIssuer, openSecrets } from '../../tools/stack/issuer';

test.each<[string[], RegExp]>([
  [['replay', '--consumer', 'nobody'], /--consumer takes one of analytics, audit, notifications/],
  [['replay', '--consumer', 'audit'], /audit is not replayed/],
  [['replay', '--consumer', 'analytics', '--keys', 'x'], /analytics is replayed as a whole/],
  [['replay', '--consumer', 'analytics', '--from', '2026-01-01'], /analytics is replayed as a whole/],
  [
    ['replay', '--consumer', 'pricing', '--from', '2026-01-01'],
    /pricing has no rows that come from one fact/,
  ],
  [['replay', '--consumer', 'tracks', '--keys', 'x', '--from', '2026-01-01'], /tracks has no rows .* --from/],
  [['replay', '--consumer', 'notifications', '--from', 'noon'], /--from takes a time/],
  [['replay', '--consumer', 'notifications', '--keys', 'x', '--check'], /--check .* for all of them/],
  [['dlq'], /dlq takes one of list, show, replay, discard/],
  [['dlq', 'toString'], /dlq takes one of list, show, replay, discard/],
  [['dlq', 'list', '--because', 'x'], /'--because'.*what dlq list takes/],
  [['dlq', 'list', '--all'], /'--all'/],
  [['dlq', 'list', '--dry-run'], /'--dry-run'/],
  [['dlq', 'list', 'an-id'], /takes no ids/],
  [['dlq', 'show'], /takes the id of one/],
  [['dlq', 'show', 'an-id', '--key', 'x'], /'--key'.*what dlq show takes/],
  [['dlq', 'show', 'an-id', '--limit', '3'], /'--limit'/],
  [['dlq', 'replay'], /ids, or filters, or --all/],
  [['dlq', 'replay', '--all', '--key', 'x'], /ids, or filters, or --all/],
  [['dlq', 'replay', '--all', '--because', 'x'], /'--because'/],
  [['dlq', 'discard', '--all'], /--because, the reason/],
])('hailway %j is refused in one line', async ([command, ...argv], reason) => {
  const running = (command === 'dlq' ? dlq : replay)(argv, {});
  await expect(running).rejects.toThrow(UsageError);
  await expect(running).rejects.toThrow(reason);
});

test('a sweep takes the options that it heeds, and no others', () => {
  const sweeps = { stories: { count: 200 }, payments: { repeats: 3 } };
  const numbers = { seed: 7, count: 5, repeats: 1 };
  const of = (...argv: string[]) => parseFaultOptions(argv, sweeps);
  expect(of('stories', '--count', '5', '--seed', '7')).toEqual({ name: 'stories', options: numbers });
  expect(of('payments')).toMatchObject({ options: { repeats: 3 } });
  expect(() => of('payments', '--count', '5')).toThrow('payments takes no --count');
  expect(() => of('stories', '--repeats', '5')).toThrow('stories takes no --repeats');
});

describe('a command finds', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'hailway-cli-'))));
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  test('the embedded stack on the ports that it was given', async () => {
    const env = {
      ...{ HAILWAY_POSTGRES_PORT: '1111', HAILWAY_TEMPORAL_PORT: '2222', HAILWAY_GATEWAY_PORT: '3333' },
      HAILWAY_SANDBOX_PSP_PORT: '4444',
    };
    expect(await databaseOf(env, dataDir, 'audit')).toBe('postgres://audit:audit@127.0.0.1:1111/audit');
    expect(configOf(env)).toMatchObject({
      TEMPORAL_ADDRESS: '127.0.0.1:2222',
      GATEWAY_URL: 'http://127.0.0.1:3333',
      STRIPE_API_BASE: 'http://127.0.0.1:4444',
    });
    // By default as documented.
    expect(await databaseOf({}, dataDir, 'rides')).toBe('postgres://rides:rides@127.0.0.1:5433/rides');
  });

  test('what the environment names, before all else', async () => {
    const env = {
      ...{
        AUDIT_DATABASE_URL: 'postgres://a:b@there/c',
        POSTGRES_URL: 'postgres://admin:x@elsewhere/postgres',
      },
      ...{ HAILWAY_GATEWAY_PORT: '3333', GATEWAY_URL: 'https://api.example.com', STRIPE_API_BASE: '' },
    };
    expect(await databaseOf(env, dataDir, 'audit')).toBe('postgres://a:b@there/c');
    expect(configOf(env)).toMatchObject({ GATEWAY_URL: 'https://api.example.com', STRIPE_API_BASE: '' });
  });

  test('the databases that a stack has made on another server, with its secrets', async () => {
    const env = { POSTGRES_URL: 'postgres://admin:x@elsewhere:99/postgres?sslmode=require' };
    await expect(databaseOf(env, dataDir, 'audit')).rejects.toThrow(`no stack was started on ${dataDir}`);
    await openIssuer(dataDir);
    const password = (await openSecrets(dataDir)).of('postgres/audit');
    expect(await databaseOf(env, dataDir, 'audit')).toBe(
      `postgres://audit:${password}@elsewhere:99/audit?sslmode=require`,
    );
  });
});
