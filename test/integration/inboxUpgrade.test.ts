import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownSequenceOf, sequenceOf } from '../../platform/inbox/fact';
import type { RawRecord } from '../../platform/kafka';
import { createPool, inboxMigrations, migrate } from '../../platform/postgres';
import { ownedDatabase } from '../support/consumers';

/** A consumer's database from before sequences were kept beside what is parked or discarded. */

const before = mkdtempSync(join(tmpdir(), 'hailway-inbox-'));
const upTo = (migration: string): { name: string; dir: string } => {
  for (const file of readdirSync(inboxMigrations.dir))
    if (file <= `${migration}~`) cpSync(join(inboxMigrations.dir, file), join(before, file));
  return { name: inboxMigrations.name, dir: before };
};
afterAll(() => rmSync(before, { recursive: true }));

const numbers = [
  '7',
  '00012',
  '+8',
  '-8',
  '1.0',
  '5.',
  '.5',
  '2.5',
  '10e-1',
  '1e3',
  '1E+3',
  '1e',
  'e3',
  '1_000',
];
const spaces = [
  ' 5',
  '5 ',
  '\t\v6\r\n',
  '\u00a09',
  '\ufeff\u20289\u200a',
  '\u3000\u16804\u205f',
  '\u200b4',
  '5 5',
];
const limits = ['0', '9007199254740991', '9007199254740992', '9007199254740991.2', '1e400', '1e-400', '1e15'];
const radixes = [
  '0x1F',
  '0XffFFffFFffFFffFFff',
  '0o17',
  '0b101',
  '-0x1',
  '0x',
  '0x1p3',
  '010',
  `0x${'0'.repeat(60)}a`,
];
const others = ['', ' ', 'Infinity', 'NaN', 'abc', '٣', '5\0', '5\\', '\\3025', `${'0'.repeat(400)}4`];
const said: (string | Buffer | (string | Buffer)[])[] = [
  ...[...numbers, ...spaces, ...limits, ...radixes, ...others],
  ...[Buffer.from([0xff]), Buffer.from([0x35, 0xa0]), ['5', '6'], ['5', '5'], []],
];

/** Records of one key, each with another word for its sequence, and ids that are said to be theirs. */
const records: RawRecord[] = [
  ...said.map((sequence) => [sequence, '/key/' + String(Number(sequence)), 'key'] as const),
  ...['thing/key/5', '/other/5', '5', 'key/5', 'thing/key/6', ''].map((id) => ['5', id, 'key'] as const),
  ...(['thing/key/5', 'thing//5'] as const).map((id) => ['5', id, null] as const),
  ...([['thing/key/5', 'thing/key/5'], undefined] as const).map((id) => ['5', id, 'key'] as const),
  ...([
    [undefined, 'thing/key/5', 'key'],
    ['5', 'thing/schlüssel/5', 'schlüssel'],
  ] as const),
].map(([sequence, id, key], offset) => ({
  ...{
    topic: 'things',
    partition: 0,
    offset,
    timestamp: 0,
    value: null,
    key: key === null ? null : Buffer.from(key),
  },
  headers: Object.fromEntries(
    Object.entries({ ce_sequence: sequence, ce_id: id }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, bytesOf(value as string | Buffer | string[])]],
    ),
  ),
}));

function bytesOf(value: string | Buffer | readonly (string | Buffer)[]): Buffer | Buffer[] {
  if (Array.isArray(value)) return value.map((one: string | Buffer) => bytesOf(one) as Buffer);
  return Buffer.from(value as string);
}

test('what older rows say of their sequences is read as the code reads it', async () => {
  const database = await ownedDatabase('upgrade', [upTo('0001')]);
  const pool = createPool(database.url, { applicationName: 'test', max: 1 });
  const insert = async (table: string, more: Record<string, string>): Promise<void> => {
    for (const { topic, partition, offset, key, headers } of records) {
      const packed = Object.entries(headers).map(([name, value]) => [
        name,
        [value].flat().map((one) => Buffer.from(one as Buffer).toString('base64')),
      ]);
      const row = {
        consumer_group: 'group',
        topic,
        partition,
        offset,
        key: String(key ?? ''),
        raw_key: key,
        ...more,
      };
      const columns = Object.keys(row).map((name) => `"${name}"`);
      await pool.query(
        `insert into ${table} (raw_headers, ${columns.join()}) values ($1, ${columns.map((_, i) => `$${i + 2}`).join()})`,
        [JSON.stringify(Object.fromEntries(packed)), ...Object.values(row)],
      );
    }
  };
  const stored = async (column: string, table: string): Promise<(number | null)[]> => {
    const { rows } = await pool.query<{ sequence: number | null }>(
      `select ${column} as sequence from ${table} order by "offset"`,
    );
    return rows.map(({ sequence }) => sequence);
  };
  const byWord = (sequences: readonly (number | null)[]) =>
    sequences.map((sequence, i) => [i, JSON.stringify(String(records[i]!.headers['ce_sequence'])), sequence]);
  try {
    await insert('inbox_parked', { head: 'false' });
    await migrate(database.url, [upTo('0003')]);
    await insert('inbox_discarded', { discarded_by: 'op-1', discarded_because: 'not ours' });
    await migrate(database.url, [inboxMigrations]);
    const [parked, own] = [records.map(({ headers }) => sequenceOf(headers)), records.map(ownSequenceOf)];
    expect(byWord(await stored('sequence', 'inbox_parked'))).toEqual(byWord(parked));
    expect(byWord(await stored('own_sequence', 'inbox_discarded'))).toEqual(byWord(own));
    // What is compared is not nothing.
    expect(parked).toEqual(expect.arrayContaining([1_000, 31, 12, 9_007_199_254_740_991, null]));
    expect(own).toEqual(expect.arrayContaining([1_000, 31, 5, null]));
  } finally {
    await pool.end();
    await database.drop();
  }
});
