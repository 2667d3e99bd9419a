import { RidesUnderWay } from '../../consumers/location/ridesUnderWay';
import type { RawRecord } from '../../platform/kafka';
import { recordOf } from '../support/consumers';

/** Who is on a ride, by what the log says, which may say it twice. */

const started = 1_795_366_800_000;
let offset = 0;

function recordAt(ride: string, sequence: number, type: string, data: object, minute: number): RawRecord {
  const timestamp = started + minute * 60_000;
  const time = new Date(timestamp).toISOString();
  const sent = recordOf({ topic: 'rides', key: ride, sequence, type, time, data }, 'rides');
  const headers = Object.fromEntries(
    Object.entries(sent.headers).map(([name, value]) => [name, Buffer.from(String(value))]),
  );
  return {
    ...{ topic: 'rides', partition: 0, offset: offset++, timestamp, headers },
    ...{ key: Buffer.from(ride), value: Buffer.from(String(sent.value)) },
  };
}
const assigned = (ride: string, sequence: number, minute = 0, driverId = 'ada') =>
  recordAt(
    ride,
    sequence,
    'ride.driver_assigned',
    { driverId, offerId: '01a20445-9a16-7cfb-9c44-18187a7229c9' },
    minute,
  );
const cancelled = (ride: string, sequence: number, minute = 0) =>
  recordAt(
    ride,
    sequence,
    'ride.cancelled',
    { by: 'rider', reason: 'r', driverId: null, feeMinor: 0, currency: 'USD' },
    minute,
  );

function told(...records: RawRecord[]) {
  const changes: string[] = [];
  const rides = new RidesUnderWay((driverId, isFree) =>
    changes.push(`${driverId} ${isFree ? 'free' : 'not'}`),
  );
  for (const record of records) rides.take(record);
  return { rides, changes };
}

test('a fact that is repeated behind later ones changes nothing, of a ride that is over neither', () => {
  const { rides, changes } = told(assigned('r', 3), cancelled('r', 4), assigned('r', 3));
  expect(rides.isOnRide('ada')).toBe(false);
  expect(changes).toEqual(['ada not', 'ada free']);
});

test('a driver is on the next ride before the last one is known to be over', () => {
  const { rides, changes } = told(assigned('r', 3), assigned('s', 3), cancelled('r', 4));
  expect(rides.isOnRide('ada')).toBe(true);
  expect(changes).toEqual(['ada not']);
});

test('another driver is on the ride, and the first is free', () => {
  expect(told(assigned('r', 3), assigned('r', 5, 1, 'bob')).changes).toEqual([
    'ada not',
    'bob not',
    'ada free',
  ]);
});

test('a ride whose end was never heard is forgotten after two hours', () => {
  const { rides, changes } = told(assigned('r', 3), assigned('s', 3, 121, 'bob'));
  expect(rides.isOnRide('ada')).toBe(false);
  expect(changes).toEqual(['ada not', 'bob not', 'ada free']);
});
