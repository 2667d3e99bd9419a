import { PositionIndex } from '../../../consumers/location/positionIndex';
import { readPositionRecord, type DriverPosition } from '../../../contracts/positionRecord';
import { createRegions } from '../../../domain/regions';
import { createFactProducer, createKafka } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import { pack } from '../../../services/gateway/positions';
import { PER_RECORD, recordsOf, Traffic } from './traffic';

/** What the process is told, as JSON in its first argument. */
export interface TellerOrder {
  readonly brokers: string[];
  readonly topic: string;
  readonly drivers: number;
  readonly regionMeters: number;
}

/** Then by message: so many updates a second for so long. */
export interface Shift {
  readonly updatesPerSecond: number;
  readonly seconds: number;
}

/** What it says when a shift is over and all of it is acknowledged. */
export interface TellerReport {
  /** Updates, and positions told: one near another region's rim is told twice. */
  readonly updates: number;
  readonly told: number;
  /** From the first update to the last. */
  readonly seconds: number;
  /** Of an index that has heard everything. */
  readonly digest: number;
}

const EVERY_MS = 25;

/** A gateway's packing and sending (acks=all), fed with what drivers tell at a steady rate, each in turn. */
const order = JSON.parse(process.argv[2]!) as TellerOrder;
const traffic = new Traffic(order.drivers);
const regions = createRegions(order.regionMeters);
const producer = createFactProducer(createKafka({ brokers: order.brokers, clientId: 'bench-gateway' }));
let nextDriver = 0;

async function work({ updatesPerSecond, seconds }: Shift): Promise<TellerReport> {
  let waiting: DriverPosition[] = [];
  let [updates, told] = [0, 0];
  let sending = Promise.resolve();
  let isSending = false;
  const send = async (): Promise<void> => {
    isSending = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const records = pack(batch, { topic: order.topic, perRecord: PER_RECORD, regions }, Date.now());
      for (const { value } of records) told += (value as Buffer).readUInt32LE(4);
      await producer.send(records);
    }
    isSending = false;
  };
  const startedAt = performance.now();
  const due = (): number =>
    Math.min(seconds * 1_000, performance.now() - startedAt) * (updatesPerSecond / 1_000);
  while (updates < seconds * updatesPerSecond) {
    const now = Date.now();
    for (const until = Math.floor(due()); updates < until; updates++) {
      waiting.push(traffic.move(nextDriver, now));
      nextDriver = (nextDriver + 1) % order.drivers;
    }
    if (!isSending) sending = send();
    await wait(EVERY_MS);
  }
  const tookSeconds = (performance.now() - startedAt) / 1_000;
  await sending;
  return { updates, told, seconds: tookSeconds, digest: digestOf() };
}

/** Of an index that knows what each driver told last. */
function digestOf(): number {
  const index = new PositionIndex();
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  const source = { partition: 0, sentMs: Date.now(), oldestMs: 0 };
  const told = [...traffic.ids.keys()].filter((n) => traffic.sequence[n]! > 0);
  for (const record of recordsOf(told.map((n) => traffic.positionOf(n))))
    index.apply(readPositionRecord(record), source, counts);
  return index.digest();
}

process.on('message', (shift: Shift) => void work(shift).then((report) => process.send!(report)));
process.on('disconnect', () => void producer.disconnect().then(() => process.exit()));
