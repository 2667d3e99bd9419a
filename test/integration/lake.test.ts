import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { PositionWriter } from '../../contracts/positionWriter';
import { appendFacts } from '../../consumers/audit/store';
import { createTopics, withAdmin } from '../../platform/kafka';
import { parseFact } from '../../platform/inbox';
import { createPool, withTransaction } from '../../platform/postgres';
import { exportHour } from '../../tools/cli/export';
import { UsageError } from '../../tools/commandLine';
import { deleteTopics, factRecord, testKafka, unique } from '../support/backbone';
import { fromSetup } from '../support/fromSetup';
import { createDatabase } from '../support/servers';

const dir = mkdtempSync(join(tmpdir(), 'hailway-lake-'));
const kafka = testKafka();
const prefix = unique('lake-');
const positions = `${prefix}driver-positions`;
const hour = '2026-03-01T12:00:00.000Z';
/** The hour before this one: positions are stamped by Kafka, or have to be fresh. */
const lastHour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000).toISOString();
let auditUrl: string;

beforeAll(async () => {
  auditUrl = await createDatabase('audit');
  await createTopics(kafka, [{ topic: positions, partitions: 2 }]);
});
afterAll(async () => {
  await deleteTopics(kafka, [positions]);
  rmSync(dir, { recursive: true, force: true });
});

/** What a warehouse finds below the folder. */
async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** `npx hailway export` */
async function hailwayExport(...argv: string[]): Promise<{ code: number; printed: string }> {
  const printed: string[] = [];
  const print = (text: unknown): boolean => printed.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((out) =>
    jest.spyOn(out, 'write').mockImplementation(print),
  );
  const env = {
    ...{ AUDIT_DATABASE_URL: auditUrl, KAFKA_TOPIC_PREFIX: prefix },
    KAFKA_BROKERS: fromSetup('KAFKA_BROKERS'),
  };
  try {
    return { code: await exportHour(argv, env), printed: printed.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function fact(key: string, offset: number, sentAt: string, data: object) {
  const { headers } = factRecord('rides', key, 1, {});
  return parseFact({
    ...{ topic: 'rides', partition: 0, offset, key: Buffer.from(key), timestamp: Date.parse(sentAt) },
    value: Buffer.from(JSON.stringify(data)),
    headers: { ...headers, ce_time: '2026-03-01T11:59:59.500Z' },
  });
}

test('the facts of an hour are a Parquet file that DuckDB reads, with what is sealed still sealed', async () => {
  const pool = createPool(auditUrl, { applicationName: 'test', max: 1 });
  const sealed = [{ sub: 'rider-1', ct: 'AAAA' }];
  const facts = [
    fact('ride-before', 0, '2026-03-01T11:59:59.999Z', {}),
    fact('ride-first', 1, hour, { pickup: { lat: 0, lng: 0 }, sealed, text: 'ümlaut, "quoted"' }),
    fact('ride-last', 2, '2026-03-01T12:59:59.999Z', { fare: { totalMinor: 1_250 } }),
    fact('ride-after', 3, '2026-03-01T13:00:00.000Z', {}),
  ];
  await withTransaction(pool, (tx) => appendFacts(tx, facts)).finally(() => pool.end());
  const exported = await hailwayExport('--hour', hour, '--to', dir);
  expect(exported).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/^2 rows in .*\n0 rows in .*\n$/),
  });
  const file = join(dir, 'facts/date=2026-03-01/hour=12/facts.parquet');
  expect(exported.printed).toContain(file);
  const rows = await duckdb(
    `select date, hour, key, "offset", type, sent_at, data->'$.sealed' as sealed, data->>'$.text' as text,
       (data->>'$.fare.totalMinor')::int as minor
     from read_parquet('${dir}/facts/*/*/*.parquet', hive_partitioning = true) order by "offset"`,
  );
  expect(rows).toMatchObject([
    {
      ...{ date: '2026-03-01', hour: '12', key: 'ride-first', offset: '1', type: 'thing.changed' },
      ...{
        sent_at: '2026-03-01 12:00:00',
        sealed: JSON.stringify(sealed),
        text: 'ümlaut, "quoted"',
        minor: null,
      },
    },
    { key: 'ride-last', minor: 1_250, sent_at: '2026-03-01 12:59:59.999' },
  ]);
  // Again it is the same, and no part is left.
  expect(await hailwayExport('--hour', hour, '--to', dir)).toMatchObject({ code: 0 });
  expect(existsSync(`${file}.part`)).toBe(false);
  expect(await duckdb(`select count(*)::int as facts from '${file}'`)).toEqual([{ facts: 2 }]);
});

test('the positions of an hour, of either form of record; what is no record is left out', async () => {
  const sentAt = Date.parse(lastHour) + 60_000;
  const long = `driver-${'x'.repeat(40)}`;
  // Of a gateway whose clock is ahead of the log's.
  const writer = new PositionWriter(sentAt + 2_000);
  writer.add({ driverId: 'driver-1', lat: 40.75, lng: -73.98, sequence: 7, atMs: sentAt - 5_000 });
  writer.add({ driverId: long, lat: -1.25, lng: 179.5, sequence: 2 ** 40, atMs: sentAt + 1_000 });
  const json = { v: 1, positions: [['driver-2', 40.7, -74, 1, sentAt + 1_000]] };
  const record = (value: string | Buffer, timestamp: number) => ({
    ...{ topic: positions, partition: 0, key: 'region-1', value, headers: {}, timestamp: String(timestamp) },
  });
  await sendAt([
    record(Buffer.from(writer.finish()), sentAt),
    record(JSON.stringify(json), sentAt),
    record('nonsense', sentAt),
    record(JSON.stringify(json), sentAt + 3_600_000 - 60_000),
  ]);
  const exported = await hailwayExport('--hour', lastHour, '--to', dir);
  expect(exported).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/0 rows in .*\n3 rows in .*\n$/),
  });
  const rows = await duckdb(
    `select driver_id, lat, lng, sequence, epoch_ms(time)::varchar as at, epoch_ms(sent_at)::varchar as sent, region
     from read_parquet('${dir}/positions/*/*/*.parquet') order by driver_id`,
  );
  const sent = { sent: String(sentAt), region: 'region-1' };
  expect(rows).toEqual([
    { driver_id: 'driver-1', lat: 40.75, lng: -73.98, sequence: '7', at: String(sentAt - 5_000), ...sent },
    { driver_id: 'driver-2', lat: 40.7, lng: -74, sequence: '1', at: String(sentAt), ...sent },
    { driver_id: long, lat: -1.25, lng: 179.5, sequence: String(2 ** 40), at: String(sentAt), ...sent },
  ]);
});

test('of an hour that the log may not keep whole no positions are written, and those that were stay', async () => {
  const olderMs = Date.parse(lastHour) - 2 * 3_600_000;
  const value = JSON.stringify({ v: 1, positions: [['driver-3', 40.7, -74, 1, olderMs]] });
  const record = { topic: positions, partition: 1, key: 'region-2', value, headers: {} };
  const at = (timestamp: number) => ({ ...record, timestamp: String(timestamp) });
  await sendAt([at(olderMs + 1), at(olderMs + 2)]);
  const exportOlder = () => hailwayExport('--hour', new Date(olderMs).toISOString(), '--to', dir);
  expect(await exportOlder()).toMatchObject({ code: 0, printed: expect.stringMatching(/2 rows in .*\n$/) });
  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(positions);
    await admin.deleteTopicRecords({ topic: positions, partitions: [{ partition: 1, offset: '1' }] });
  });
  expect(await exportOlder()).toMatchObject({
    code: 1,
    printed: expect.stringContaining('may not keep all of'),
  });
  const rows = await duckdb(
    `select count(*)::int as rows from read_parquet('${dir}/positions/*/*/*.parquet') where driver_id = 'driver-3'`,
  );
  expect(rows).toEqual([{ rows: 2 }]);
  // What is younger than what the log drops is whole, whatever was dropped.
  expect(await hailwayExport('--hour', lastHour, '--to', dir)).toMatchObject({ code: 0 });
});

/** As gateways send, at another time: the port of ours stamps what it sends with now. */
async function sendAt(
  records: { topic: string; partition: number; key: string; value: string | Buffer; timestamp: string }[],
): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = records.map(({ topic: _, ...message }) => message);
  await producer.send({ topic: positions, messages }).finally(() => producer.disconnect());
}

test('only an hour that is over is exported', async () => {
  const now = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString();
  for (const wrong of [now, '2026-03-01T12:30:00Z', 'noon'])
    await expect(hailwayExport('--hour', wrong, '--to', dir)).rejects.toThrow(UsageError);
  await expect(hailwayExport('--hour', hour)).rejects.toThrow(UsageError);
});
