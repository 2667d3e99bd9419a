import { v7 as uuidv7 } from 'uuid';
import { analytics as projection } from '../../consumers/analytics/projection';
import { EventTime } from '../../consumers/analytics/lateness';
import { readDemand } from '../../consumers/analytics/readings';
import { demandView } from '../../contracts/api/analytics';
import type { Fact } from '../../platform/inbox';
import { withTransaction } from '../../platform/postgres';
import { brooklyn, byTime, cancelled, cellOf, completed, downtown, midtown } from '../support/analyticsFacts';
import { at, requested, rideFacts, rideIn, startConsumer, type TestConsumer } from '../support/consumers';

let analytics: TestConsumer;
beforeEach(async () => {
  analytics = await startConsumer(projection);
});
afterEach(() => analytics.stop());

const demand = async (
  range: { from?: string; to?: string; cell?: string; limit?: number; per?: 'range' } = {},
) => demandView.parse(await readDemand(analytics.pool, { limit: 100, ...range })).cells;

const cell = (minute: string, where: typeof midtown, counts: object) => ({
  ...{ cell: cellOf(where), minute: at(`${minute}:00.000`) },
  ...{ requested: 0, completed: 0, cancelled: 0, noDriver: 0, assigned: 0, freed: 0, ...counts },
});

/** As they are read: the newest minutes first, in each the busiest cells first. */
const inOrder = (cells: ReturnType<typeof cell>[]) =>
  cells.sort(
    (a, b) => b.minute.localeCompare(a.minute) || b.requested - a.requested || a.cell.localeCompare(b.cell),
  );

/** A ride of each ending, requested in the same minute; what is counted of them is in `expected`. */
function rides() {
  const [a, b, c, d] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const facts = byTime([
    ...rideFacts(a, [
      ['ride.requested', '12:00:05.000', requested(a, 'r1', midtown)],
      ['ride.matching_started', '12:00:06.000'],
      ['ride.driver_assigned', '12:00:59.000', { driverId: 'driver-1', offerId: uuidv7() }],
      ['ride.driver_arrived', '12:05:00.000', { driverId: 'driver-1' }],
      ['ride.started', '12:06:00.000', { driverId: 'driver-1' }],
      ['ride.completed', '12:20:59.999', completed],
    ]),
    ...rideFacts(b, [
      ['ride.requested', '12:00:59.999', requested(b, 'r2', midtown)],
      ['ride.cancelled', '12:01:00.000', cancelled],
    ]),
    ...rideFacts(c, [
      ['ride.requested', '12:00:30.000', requested(c, 'r3', brooklyn)],
      ['ride.matching_started', '12:00:31.000'],
      ['ride.no_driver_found', '12:01:30.000'],
    ]),
    ...rideFacts(d, [
      ['ride.requested', '12:01:00.000', requested(d, 'r4', midtown)],
      ['ride.payment_failed', '12:01:01.000', { reason: 'card_declined' }],
    ]),
  ]);
  const expected = inOrder([
    cell('12:20', midtown, { completed: 1 }),
    cell('12:20', downtown, { freed: 1 }),
    cell('12:01', midtown, { requested: 1, cancelled: 1 }),
    cell('12:01', brooklyn, { noDriver: 1 }),
    cell('12:00', midtown, { requested: 2, assigned: 1 }),
    cell('12:00', brooklyn, { requested: 1 }),
  ]);
  return { facts, expected };
}

test('demand is counted at the pickup, supply where drivers become free, in the minute in which it happened', async () => {
  const { facts, expected } = rides();
  await analytics.deliver(facts);
  expect(await demand()).toEqual(expected);
  expect(await demand({ from: at('12:01:00.000'), to: at('12:20:00.000') })).toEqual(expected.slice(2, 4));
  expect(await demand({ cell: cellOf(brooklyn) })).toEqual([expected[3], expected[5]]);
  expect(await demand({ limit: 1 })).toEqual(expected.slice(0, 1));
  expect((await analytics.pool.query('select from ride_cells')).rowCount).toBe(0);
});

test('of a range each cell has all its demand in one row, however many minutes that is', async () => {
  await analytics.deliver(rides().facts);
  const range = { per: 'range', from: at('12:00:00.000'), to: at('12:20:00.000') } as const;
  const all = [
    cell('12:00', midtown, { requested: 3, cancelled: 1, assigned: 1 }),
    cell('12:00', brooklyn, { requested: 1, noDriver: 1 }),
  ];
  expect(await demand(range)).toEqual(all);
  expect(await demand({ ...range, limit: 1 })).toEqual(all.slice(0, 1));
  expect(await demand({ ...range, cell: cellOf(brooklyn) })).toEqual(all.slice(1));
});

test('facts that are delivered again, in the same or a later batch, are counted once', async () => {
  const { facts, expected } = rides();
  await analytics.deliver([...facts.slice(0, 4), ...facts.slice(0, 4)]);
  for (const fact of facts.slice(4)) await analytics.deliver([fact, fact]);
  // Versions long past, after the rides have ended.
  await analytics.deliver([...facts].reverse());
  expect(await demand()).toEqual(expected);
  expect(await analytics.deadLetters()).toBe(0);
});

test('a ride for later is counted where it was asked for last: when it is released, or as cancelled before that', async () => {
  const [released, moved] = [uuidv7(), uuidv7()];
  const later = (id: string, where: typeof midtown) => ({
    ...requested(id, 'r1', where),
    scheduledFor: at('18:00:00.000'),
  });
  const facts = byTime([
    ...rideFacts(released, [
      ['ride.scheduled', '12:00:00.000', later(released, midtown)],
      ['ride.requested', '17:40:00.000', later(released, midtown)],
      ['ride.completed', '18:30:00.000', completed],
    ]),
    ...rideFacts(moved, [
      ['ride.scheduled', '12:00:00.000', later(moved, midtown)],
      ['ride.rescheduled', '12:01:00.000', later(moved, brooklyn)],
      ['ride.cancelled', '12:02:00.000', cancelled],
    ]),
  ]);
  for (const fact of facts) await analytics.deliver([fact]);
  expect(await demand()).toEqual([
    cell('18:30', midtown, { completed: 1 }),
    cell('17:40', midtown, { requested: 1 }),
    cell('12:02', brooklyn, { cancelled: 1 }),
  ]);
  expect(await analytics.deadLetters()).toBe(0);
  expect((await analytics.pool.query('select from ride_cells')).rowCount).toBe(0);
});

test('a fact that breaks its schema is put aside with what follows of its ride; others are counted', async () => {
  const [broken, sound] = [uuidv7(), uuidv7()];
  await analytics.deliver([
    ...rideFacts(broken, [
      ['ride.requested', '12:00:00.000', { ...requested(broken, 'r1'), pickup: { lat: 91, lng: 0 } }],
      ['ride.no_driver_found', '12:01:00.000'],
    ]),
    ...rideFacts(sound, [
      ['ride.requested', '12:00:00.000', requested(sound, 'r2', midtown)],
      ['ride.becomes_known_in_some_later_version', '12:00:30.000', { any: 'thing' }],
      ['ride.completed', '12:01:00.000', completed],
    ]),
  ]);
  expect(await demand()).toEqual([
    cell('12:01', midtown, { completed: 1 }),
    cell('12:00', midtown, { requested: 1 }),
  ]);
  expect(await analytics.deadLetters()).toBe(1);
  const { rows } = await analytics.pool.query<{ head: boolean; reason: string | null }>(
    'select head, reason from inbox_parked order by head desc',
  );
  expect(rows).toEqual([
    { head: true, reason: expect.stringMatching(/^fact_invalid: .*pickup/s) },
    { head: false, reason: null },
  ]);
});

test('a fact that is far behind its partition changes no minute any more, and is counted as late', async () => {
  const ride = uuidv7();
  const driver = { driverId: 'driver-1' };
  await analytics.deliver(
    rideFacts(ride, [
      ['ride.requested', '12:30:00.000', requested(ride, 'r1', midtown)],
      // As far behind as may be, and a little further.
      ['ride.driver_assigned', '12:20:00.000', { ...driver, offerId: uuidv7() }],
      ['ride.driver_unassigned', '12:19:59.999', { ...driver, reason: 'flat_tyre' }],
      ['ride.cancelled', '12:35:00.000', cancelled],
    ]),
  );
  expect(await demand()).toEqual([
    cell('12:35', midtown, { cancelled: 1 }),
    cell('12:30', midtown, { requested: 1 }),
    cell('12:20', midtown, { assigned: 1 }),
  ]);
  expect((await readDemand(analytics.pool, { limit: 1 })).late).toBe(1);
});

test('partitions that are far apart in time make each other not late: each is judged by its own facts', async () => {
  const asks = (partition: number, time: string, where: typeof midtown) => {
    const ride = rideIn(partition);
    return rideFacts(ride, [
      ['ride.requested', `${time}:00.000`, requested(ride, `rider-${partition}`, where)],
    ]);
  };
  const late = async () => (await readDemand(analytics.pool, { limit: 1 })).late;
  await analytics.deliver(asks(0, '18:00', midtown));
  await analytics.deliver(asks(1, '06:00', brooklyn));
  await analytics.deliver([...asks(0, '18:01', midtown), ...asks(1, '06:01', brooklyn)]);
  const inTime = [
    ...[cell('18:01', midtown, { requested: 1 }), cell('18:00', midtown, { requested: 1 })],
    ...[cell('06:01', brooklyn, { requested: 1 }), cell('06:00', brooklyn, { requested: 1 })],
  ];
  expect([await demand(), await late()]).toEqual([inTime, 0]);
  // The same morning is late where the evening has come.
  await analytics.deliver(asks(0, '06:02', brooklyn));
  expect([await demand(), await late()]).toEqual([inTime, 1]);
  const { rows } = await analytics.pool.query('select partition, late from event_times order by partition');
  expect(rows).toEqual([
    { partition: 0, late: 1 },
    { partition: 1, late: 0 },
  ]);
});

test('a clock that is ahead makes nobody late', async () => {
  const ride = uuidv7();
  const [asked, taken] = rideFacts(ride, [
    ['ride.requested', '12:30:00.000', requested(ride, 'r1', midtown)],
    ['ride.driver_assigned', '12:30:01.000', { driverId: 'driver-1', offerId: uuidv7() }],
  ]);
  const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
  await analytics.deliver([
    { ...asked!, time: inMs(24 * 3_600_000) },
    { ...taken!, time: inMs(0) },
  ]);
  // It happened when it was sent at the latest.
  const cells = await demand();
  expect(cells.every(({ minute }) => Date.parse(minute) <= Date.now())).toBe(true);
  const sum = (of: 'requested' | 'assigned') => cells.reduce((all, one) => all + one[of], 0);
  expect([sum('requested'), sum('assigned')]).toEqual([1, 1]);
  expect((await readDemand(analytics.pool, { limit: 1 })).late).toBe(0);
});

test('nor does one that does not say when it was sent', async () => {
  const fact = { topic: 'rides', partition: 0, record: { timestamp: -1 } } as Fact;
  const late = await withTransaction(analytics.pool, async (tx) => {
    const eventTime = await EventTime.of(tx, fact);
    return [9_998, 2_026].map((year) => eventTime.isLate(fact, Date.UTC(year, 0)));
  });
  expect(late).toEqual([false, false]);
});
