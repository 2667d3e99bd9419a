import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { topics } from '../../contracts/catalogue';
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
    expect(await prepare()).toEqual(first);

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
    expect(readdirSync(join(dir, 'keys')).sort()).toEqual([
      'jwks.json',
      'quote-secret',
      'ride-code-secret',
      'service-token',
      'signing-key.json',
    ]);
  });

  it('names a database URL that is for another user', async () => {
    const { code, out } = await prepare({ RIDES_DATABASE_URL: urlOf('audit') });
    expect(out).toContain('RIDES_DATABASE_URL takes a URL for the user rides');
    expect(code).toBe(78);
  });
});
