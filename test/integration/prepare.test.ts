import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { topics } from '../../contracts/catalogue';
import { createVerifier } from '../../platform/auth';
import { loadConfig } from '../../platform/config';
import { createKafka } from '../../platform/kafka';
import { owners } from '../../tools/stack/databases';
import { kafkaBrokers, postgresUrl } from '../support/servers';

/** What docker-compose.yml runs before any process: against servers that somebody else has started. */
const root = resolve(__dirname, '../..');
const run = `${process.env.HAILWAY_TEST_RUN}_${process.pid}`;
const prefix = `prepare-${run}.`;
const urlOf = (owner: string): string => {
  const url = new URL(postgresUrl());
  url.username = url.password = owner;
  url.pathname = `/test_${owner}_${run}_prepare`;
  return url.href;
};
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hailway-prepare-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function prepare(more: Record<string, string> = {}): Promise<{ code: number; out: string }> {
  const databases = owners.map((owner) => [`${owner.toUpperCase()}_DATABASE_URL`, urlOf(owner)] as const);
  const env = {
    ...process.env,
    ...Object.fromEntries(databases),
    KAFKA_TOPIC_PREFIX: prefix,
    HAILWAY_DATA_DIR: dir,
    HAILWAY_SERVICE_TOKEN_FILE: join(dir, 'keys', 'service-token'),
    ...more,
  };
  const args = ['-r', join(root, 'test/support/typescript.cjs'), join(root, 'tools/prepare.ts')];
  return new Promise((done) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out: stdout + stderr });
    });
  });
}

describe('prepare', () => {
  it('makes databases, tables, topics and keys, and again changes nothing', async () => {
    const first = await prepare();
    expect(first).toEqual({ code: 0, out: expect.stringContaining('keys: there') });
    const quoteSecret = (): string => readFileSync(join(dir, 'keys', 'quote-secret'), 'utf8');
    const secretBefore = quoteSecret();
    // An earlier one had it beside the others.
    const masterKeys = join(dir, 'personal', 'master-keys');
    renameSync(masterKeys, join(dir, 'keys', 'personal-keys'));
    const again = await prepare();
    expect(first.out).toContain(`${prefix}rides: created`);
    expect(again.out).not.toContain('topics: prepare');
    expect(again).toEqual({ code: 0, out: expect.stringContaining('keys: there') });
    expect(quoteSecret()).toBe(secretBefore);

    for (const owner of owners) {
      const client = new Client({ connectionString: urlOf(owner) });
      await client.connect();
      const { rowCount } = await client.query(`select 1 from pg_tables where schemaname = 'public'`);
      await client.end();
      expect([owner, (rowCount ?? 0) > 1]).toEqual([owner, true]);
    }

    const admin = createKafka({ brokers: kafkaBrokers(), clientId: 'prepare-test' }).admin();
    await admin.connect();
    const names = await admin.listTopics();
    await admin.disconnect();
    expect(names).toEqual(expect.arrayContaining(topics.map(({ name }) => prefix + name)));

    const keys = join(dir, 'keys');
    const read = (name: string): string => readFileSync(join(keys, name), 'utf8');
    const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = loadConfig({});
    const verify = createVerifier({ jwks: join(keys, 'jwks.json'), issuer, audience });
    expect(await verify(read('service-token'))).toMatchObject({ role: 'service' });
    expect(read('quote-secret').length).toBeGreaterThanOrEqual(16);
    expect(read('ride-code-secret').length).toBeGreaterThanOrEqual(16);
    expect(read('jwks.json')).not.toContain('"d"');
    // Other containers run as another user: they see these files, and not what tokens are signed with.
    const open = readdirSync(keys).filter((name) => (statSync(join(keys, name)).mode & 0o004) !== 0);
    const secrets = ['quote-secret', 'ride-code-secret', 'service-token', 'stripe-webhook-secret'];
    expect(open.sort()).toEqual(['jwks.json', ...secrets]);
    // In a volume that is not everybody's.
    expect(readFileSync(masterKeys, 'utf8')).toMatch(/^stack:\w{40}$/);
  });

  it('names a database URL that is for another user', async () => {
    const { code, out } = await prepare({ RIDES_DATABASE_URL: urlOf('audit') });
    expect(out).toContain('RIDES_DATABASE_URL takes a URL for the user rides');
    expect(code).toBe(78);
  });
});
