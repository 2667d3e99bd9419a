import { PositionIndex } from '../../../consumers/location/positionIndex';
import { readPositionRecord, type DriverPosition } from '../../../contracts/positionRecord';
import { seededRandom } from '../../faults/location/fuzz';
import { Checks, type Metrics } from '../frame';
import { cellCosts, moveCosts, nearestCosts } from './costs';
import { H3Index } from './h3Index';
import { isOnRide, recordsOf, shuffled, Traffic } from './traffic';
import { UsualIndex } from './usual';

/** Of each hundred updates one comes twice and one comes late. */
const REPEATED_EVERY = 100;

/** What drivers tell in one round, the repeats among it, and how many of these tell something new. */
function round(traffic: Traffic, updates: number, seed: number): { said: DriverPosition[]; news: number } {
  const random = seededRandom(seed);
  const said: DriverPosition[] = [];
  const order = shuffled(traffic.drivers, random);
  let late: DriverPosition | undefined;
  for (let n = 0; n < updates; n++) {
    const driver = order[n % order.length]!;
    const before = traffic.positionOf(driver);
    said.push(traffic.move(driver, Date.now()));
    if (n % REPEATED_EVERY === 0) late = before;
    if (n % REPEATED_EVERY === 50) said.push(said[said.length - 1]!, late!);
  }
  return { said, news: updates };
}

/** What the process is told, as JSON in its first argument. */
export interface OneCoreOrder {
  readonly drivers: number;
}

/** What it can be asked for, and what it answers. */
export type OneCoreMessage = {
  readonly of: 'usualRound' | 'h3Round' | 'hailwayRound' | 'costs';
};
export interface OneCoreReport {
  readonly metrics: Metrics;
  readonly checks: Readonly<Record<string, boolean>>;
}

/**
 * The contestants on one core, in this process, over the same drivers. Before they are timed each has heard of all of them
 * and had a round that does not count: theirs are processes that have run for a while.
 */
class OneCore {
  readonly checks = new Checks();
  private readonly usual = new UsualIndex();
  private readonly h3: H3Index;
  private readonly index: PositionIndex;
  private readonly traffic: Record<'usual' | 'h3' | 'hailway', Traffic>;
  private rounds = 0;

  constructor(private readonly drivers: number) {
    this.traffic = { usual: new Traffic(drivers), h3: new Traffic(drivers), hailway: new Traffic(drivers) };
    this.h3 = new H3Index(drivers);
    this.index = new PositionIndex({ maxDrivers: drivers, isOnRide });
    const all = Array.from({ length: drivers }, (_, n) => n);
    for (const record of asJson(all.map((n) => this.traffic.usual.move(n, Date.now()))))
      this.usual.take(record);
    for (const record of recordsOf(all.map((n) => this.traffic.h3.move(n, Date.now()))))
      this.h3.take(readPositionRecord(record));
    this.takeBinary(recordsOf(all.map((n) => this.traffic.hailway.move(n, Date.now()))));
    this.usualRound();
    this.h3Round();
    this.hailwayRound();
  }

  /** A twentieth of the drivers tell where they are: it is that much slower. */
  usualRound(): Metrics {
    const { said, news } = round(this.traffic.usual, Math.ceil(this.drivers / 20), ++this.rounds);
    const records = asJson(said);
    let applied = 0;
    const startedAt = performance.now();
    for (const record of records) if (this.usual.take(record)) applied++;
    const ms = performance.now() - startedAt;
    const { traffic } = this;
    this.checks.note(
      'usualIsNewest',
      applied === news && isNewest(traffic.usual, (id) => this.usual.drivers.get(id)),
    );
    return { updatesPerSecond: (said.length * 1_000) / ms };
  }

  /** What Hailway does, with cells of H3; of a quarter of the drivers. */
  h3Round(): Metrics {
    const { said, news } = round(this.traffic.h3, Math.ceil(this.drivers / 4), ++this.rounds);
    const records = recordsOf(said);
    let applied = 0;
    const startedAt = performance.now();
    for (const record of records) applied += this.h3.take(readPositionRecord(record));
    const ms = performance.now() - startedAt;
    this.checks.note('h3IsNewest', applied === news && isNewest(this.traffic.h3, (id) => this.h3.find(id)));
    return { updatesPerSecond: (said.length * 1_000) / ms };
  }

  hailwayRound(): Metrics {
    const { said, news } = round(this.traffic.hailway, this.drivers, ++this.rounds);
    const records = recordsOf(said);
    const startedAt = performance.now();
    const counts = this.takeBinary(records);
    const ms = performance.now() - startedAt;
    const { applied, outdated } = counts;
    this.checks.note('hailwayCountsAll', applied === news && outdated === said.length - news);
    const now = Date.now();
    this.checks.note(
      'hailwayIsNewest',
      isNewest(this.traffic.hailway, (id) => this.index.find(id, now)),
    );
    return {
      updatesPerSecond: (said.length * 1_000) / ms,
      bytesPerDriver: this.index.bytes / this.index.size,
    };
  }

  private takeBinary(records: readonly Uint8Array[]) {
    const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
    const source = { partition: 0, sentMs: Number.MAX_SAFE_INTEGER, oldestMs: 0 };
    for (const record of records) this.index.apply(readPositionRecord(record), source, counts);
    return counts;
  }

  /** What parts of it cost, and what they would with H3. */
  costs(): Metrics {
    const { index, checks } = this;
    const traffic = this.traffic.hailway;
    return {
      ...cellCosts(traffic, index.cellMeters),
      ...nearestCosts(index, traffic, checks),
      ...moveCosts(),
    };
  }
}

const asJson = (said: readonly DriverPosition[]): Buffer[] =>
  said.map((position) => Buffer.from(JSON.stringify(position)));

/** Whether an index knows of each driver what they told last. */
function isNewest(
  traffic: Traffic,
  find: (id: string) => { lat: number; lng: number; sequence: number } | null | undefined,
): boolean {
  return traffic.ids.every((id, n) => {
    const known = find(id);
    return (
      known?.sequence === traffic.sequence[n] &&
      known?.lat === traffic.lat[n] &&
      known?.lng === traffic.lng[n]
    );
  });
}

const oneCore = new OneCore((JSON.parse(process.argv[2]!) as OneCoreOrder).drivers);
process.on('message', ({ of }: OneCoreMessage) => {
  const metrics = oneCore[of]();
  process.send!({ metrics, checks: oneCore.checks.all } satisfies OneCoreReport);
});
