import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HEADER_WORDS, readPositionRecord, ROW_WORDS, sequenceOf } from '../../contracts/positionRecord';
import type { OutgoingRecord } from '../../platform/kafka';
import { eventually, upTo } from '../support/backbone';
import { doorsForFile, good, positions } from '../support/positionDoors';

const doors = doorsForFile();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** What lives, in JavaScript's heap and in buffers beside it. */
function livingBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A Kafka that answers nothing until it is let go: it neither takes nor refuses what it is sent. */
function hangingKafka() {
  const began: number[][] = [];
  const taken: number[] = [];
  let letGo = (): void => {};
  const going = new Promise<void>((resolve) => (letGo = resolve));
  const sequencesOf = (record: OutgoingRecord): number[] => {
    const { count, words } = readPositionRecord(record.value as Buffer);
    return upTo(count).map((n) => sequenceOf(words, HEADER_WORDS + (n - 1) * ROW_WORDS));
  };
  return {
    ...{ began, taken },
    letGo: () => letGo(),
    async send(records: readonly OutgoingRecord[]): Promise<void> {
      const sequences = records.flatMap(sequencesOf);
      began.push(sequences);
      await going;
      taken.push(...sequences);
    },
  };
}

const MIB = 1_048_576;
const padding = Buffer.alloc(900_000, ' ');

test('while Kafka hangs, so many positions wait and no more, whatever they came in; all of them are sent in the end', async () => {
  const [capacity, each, atOnce] = [195, 10, 6];
  const kafka = hangingKafka();
  const { post, taken, run } = await doors({ capacity, send: kafka.send });
  const stopping = new AbortController();
  let last = 0;
  const say = (count = each) => {
    const items = upTo(count).map(() => ({ ...good, driverId: 'f1', sequence: ++last }));
    const body = Buffer.concat([padding, Buffer.from(positions(...items))]);
    return post('/v1/fleet/positions', 'fleet.fleet', body);
  };
  const running = run(stopping.signal);
  try {
    expect((await say()).status).toBe(202);
    await eventually(
      () => kafka.began.length,
      (sends) => sends === 1,
    );
    const before = livingBytes();
    for (let round = 0; round < 20; round++)
      for (const { status, headers } of await Promise.all(upTo(atOnce).map(() => say())))
        expect([status, headers.get('retry-after')]).toEqual(status === 202 ? [202, null] : [429, '1']);
    expect(taken).toHaveLength(each + 190);
    expect((await say(5)).status).toBe(202);
    expect(await say(1)).toMatchObject({ status: 429, body: { code: 'too_many_positions' } });
    // A hundred megabytes came. What waits are positions, not the bodies that they came in.
    expect(taken).toHaveLength(each + capacity);
    await eventually(
      () => livingBytes() - before,
      (grown) => grown < 10 * MIB,
    );
    expect(kafka.began.map(({ length }) => length)).toEqual([each]);

    kafka.letGo();
    await eventually(
      () => kafka.taken.length,
      (sent) => sent === taken.length,
    );
    expect(kafka.taken).toEqual(taken.map(({ sequence }) => sequence));
    expect(await Promise.all(upTo(4).map(() => say()))).toMatchObject(upTo(4).map(() => ({ status: 202 })));
  } finally {
    kafka.letGo();
    stopping.abort();
    await running;
  }
  expect(kafka.taken).toEqual(taken.map(({ sequence }) => sequence));
});
