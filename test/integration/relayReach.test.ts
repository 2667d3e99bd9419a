import { createKafka } from '../../platform/kafka';
import { openKafkaDoor } from '../../tools/faults/backbone/kafkaDoor';
import type { Door } from '../../tools/faults/backbone/doors';
import { eventually, firstOccurrences, quiet, readAll, record } from '../support/backbone';
import { fromSetup } from '../support/fromSetup';
import { useRelay } from '../support/relayBench';

/** A relay that reaches its database but not Kafka. */

const bench = useRelay();
const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);

/** Lanes by owner. */
async function held(): Promise<string> {
  const { rows } = await bench.db.pool.query<{ lanes: number }>(
    `select count(*) as lanes from relay_lanes where leased_until > clock_timestamp() group by owner order by 1`,
  );
  return rows.map(({ lanes }) => lanes).join();
}
const shared = (lanes: string) => eventually(held, (seen) => seen === lanes, 40_000);

/** A fact of each key, so that each lane has some. */
async function recordEach(): Promise<void> {
  for (const key of keys) await record(bench.db.pool, bench.topic, key);
}

let door: Door;
beforeAll(async () => {
  door = await openKafkaDoor(fromSetup('KAFKA_BROKERS').split(',')[0]!);
});
afterAll(() => door.close());
beforeEach(() => door.open());

const behindDoor = () =>
  bench.relaying({
    kafka: createKafka({ brokers: [door.address], clientId: 'behind-the-door', log: quiet }),
  });

test('it leaves its lanes to who reaches Kafka, and takes its share again when it does so itself', async () => {
  const relays = [behindDoor(), bench.relaying()];
  await shared('4,4');
  await recordEach();
  await bench.allSettled();
  door.shut();
  await recordEach();
  await shared('8');
  await bench.allSettled();
  door.open();
  await shared('4,4');
  await recordEach();
  await bench.allSettled();
  await Promise.all(relays.map((relay) => relay.stop()));
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()]).toEqual(keys.map(() => [1, 2, 3]));
}, 120_000);

test('alone it leaves them, too, and goes on when it reaches Kafka', async () => {
  const relay = behindDoor();
  await shared('8');
  door.shut();
  await recordEach();
  await shared('');
  door.open();
  await bench.allSettled();
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect([...byKey.values()]).toEqual(keys.map(() => [1]));
}, 120_000);
