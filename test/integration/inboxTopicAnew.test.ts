import { applyRecords } from '../../platform/inbox/apply';
import type { RawRecord } from '../../platform/kafka';
import { factRecord } from '../support/backbone';
import { fact, outcomes, useDeadLetters } from '../support/deadLetterBench';

/** What is put aside or given up of a topic that is deleted and made anew: its offsets say nothing of the new one's records. */

const bench = useDeadLetters();
const { inbox } = bench;

/** Records of a log that has no others, from its first on. */
const logOf = (...facts: (readonly [key: string, n: number])[]): RawRecord[] =>
  facts.map(([key, n], offset) => {
    const { headers, value } = factRecord(inbox.topic, key, n);
    return {
      ...{ topic: inbox.topic, partition: 0, offset, timestamp: 0 },
      ...{ key: Buffer.from(key), value: Buffer.from(String(value)) },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, one]) => [name, Buffer.from(one as string)]),
      ),
    };
  });

const consume = (records: RawRecord[]) =>
  applyRecords({
    ...{ pool: inbox.db.subject, source: { group: inbox.group, topic: inbox.topic, partition: 0 } },
    ...{ records, endOffset: records.length, handle: bench.picky, apart: true },
    deadLetter: () => Promise.resolve(),
  });

test('another record at the same offset is neither passed over nor lost', async () => {
  const office = await bench.startOffice();
  const discard = (key: string) => office.deed('discard', '--key', key, '--because', 'made by mistake');
  bench.refuse(fact('a', 1), fact('b', 1));
  await consume(logOf(['a', 1], ['c', 1], ['b', 1], ['b', 2]));
  expect(outcomes(await discard('a'))).toEqual([['a', 'discarded', 0, null]]);

  bench.refuse(fact('d', 1), fact('e', 1));
  await consume(logOf(['d', 1], ['c', 2], ['e', 1]));
  const parked = async () => (await inbox.parked()).map(({ factId }) => factId);
  expect(await parked()).toEqual([fact('b', 1), fact('d', 1), fact('e', 1), fact('b', 2)]);
  expect(outcomes(await discard('d'))).toEqual([['d', 'discarded', 0, null]]);
  bench.refuse();
  const { deadLetters } = await office.list();
  expect(await office.hailway('replay', ...deadLetters.map(({ id }) => id))).toMatchObject({ code: 0 });
  expect(await parked()).toEqual([]);
  expect((await inbox.effects()).sort()).toEqual(
    [...[fact('b', 1), fact('b', 2)], ...[fact('c', 1), fact('c', 2)], fact('e', 1)].sort(),
  );
  const { rows } = await inbox.db.pool.query<{ id: string }>(
    'select fact_id as id from inbox_discarded order by "offset"',
  );
  expect(rows.map(({ id }) => id)).toEqual([fact('a', 1), fact('d', 1)]);
});
