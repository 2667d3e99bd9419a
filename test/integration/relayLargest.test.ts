import { topics } from '../../contracts/topics';
import { mostRecordBytes } from '../../platform/kafka/recordSize';
import { FactTooLarge } from '../../platform/outbox';
import { isRetriable } from '../../platform/postgres';
import { firstOccurrences, readAll, record } from '../support/backbone';
import { useRelay } from '../support/relayBench';

/** The largest fact there can be: whatever is committed, a topic as it is declared takes. */

const bench = useRelay({ 'max.message.bytes': String(Math.min(...topics.map((t) => t.maxMessageBytes))) });

const refusalOf = (key: string, filling: string): Promise<unknown> =>
  record(bench.db.pool, bench.topic, key, { filling }).then(
    () => undefined,
    (error: unknown) => error,
  );
/** The longest filling of a fact of this key, of so many bytes a character. */
async function longest(key: string, character: string): Promise<string> {
  const tried = mostRecordBytes / Buffer.byteLength(character);
  const refusal = (await refusalOf(key, character.repeat(tried))) as FactTooLarge;
  const over = (refusal.details['bytes'] as number) - mostRecordBytes;
  return character.repeat(tried - Math.ceil(over / Buffer.byteLength(character)));
}

test.each(['x', 'ü'])(
  'a fact of as many %s as can be committed is relayed; with one more it is refused',
  async (character) => {
    const filling = await longest('key', character);
    const refusal = await refusalOf('key', filling + character);
    expect(refusal).toBeInstanceOf(FactTooLarge);
    expect(refusal).toMatchObject({ code: 'fact_too_large', details: { most: mostRecordBytes } });
    expect(isRetriable(refusal)).toBe(false);
    // Nothing of it is committed: not the aggregate's version either.
    expect((await bench.db.pool.query('select from aggregates')).rowCount).toBe(0);

    expect(await record(bench.db.pool, bench.topic, 'key', { filling })).toBe(1);
    expect(await record(bench.db.pool, bench.topic, 'key')).toBe(2);
    const relay = bench.relaying();
    await bench.allSettled();
    await relay.stop();
    expect((await bench.db.pool.query('select from parked_facts')).rowCount).toBe(0);
    const records = await readAll(bench.kafka, bench.topic);
    expect(firstOccurrences(records).byKey.get('key')).toEqual([1, 2]);
    expect(records[0]!.value!.length).toBeGreaterThan(mostRecordBytes - 2_000);
  },
);
