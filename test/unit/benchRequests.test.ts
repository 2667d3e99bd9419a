import fc from 'fast-check';
import { driverIdOfKey } from '../../contracts/driverKey';
import { HEADER_WORDS, readPositionRecord, row, ROW_WORDS } from '../../contracts/positionRecord';
import type { LoadOrder, Senders } from '../../tools/bench/http/order';
import { DRIVERS, POSITIONS_A_FLEET, requestsOf } from '../../tools/bench/http/requests';

const atMs = Date.parse('2026-01-01T18:00:00Z');
const order = (senders: Senders, first: number, amount: number): LoadOrder => ({
  ...{ url: 'http://127.0.0.1', connections: 4, senders, atMs, first, amount },
});
const fleet: Senders = { are: 'fleet', token: 'the-fleet' };
const drivers: Senders = { are: 'drivers', tokens: Array.from({ length: 16 }, (_, n) => `driver-${n}`) };

interface Sent {
  readonly driverId: string;
  readonly sequence: number;
}

function sentByFleet(body: Buffer): Sent[] {
  const { words, count } = readPositionRecord(body);
  return Array.from({ length: count }, (_, n) => {
    const at = HEADER_WORDS + n * ROW_WORDS;
    return { driverId: driverIdOfKey(words, at), sequence: words[at + row.sequenceLow]! };
  });
}

test('a fleet has sent of all its drivers once before it sends of any again', () => {
  const turn = requestsOf(order(fleet, 0, DRIVERS / POSITIONS_A_FLEET));
  const ids = new Set(turn.flatMap(({ body }) => sentByFleet(body).map(({ driverId }) => driverId)));
  expect(ids.size).toBe(DRIVERS);
  const [again] = requestsOf(order(fleet, turn.length, 1));
  const [first] = turn;
  expect(sentByFleet(again!.body).map(({ driverId }) => driverId)).toEqual(
    sentByFleet(first!.body).map(({ driverId }) => driverId),
  );
});

test('sequences of each driver rise from request to request of a connection', () => {
  const last = new Map<string, number>();
  for (const n of [3, 403, 803])
    for (const { driverId, sequence } of sentByFleet(requestsOf(order(fleet, n, 1))[0]!.body)) {
      expect(sequence).toBeGreaterThan(last.get(driverId) ?? -1);
      last.set(driverId, sequence);
    }
  expect(last.size).toBe(POSITIONS_A_FLEET);
  const lastOf = new Map<string, number>();
  for (const { headers, body } of requestsOf(order(drivers, 0, 100))) {
    const { positions } = JSON.parse(body.toString()) as { positions: { sequence: number }[] };
    for (const { sequence } of positions) {
      expect(sequence).toBeGreaterThan(lastOf.get(headers['authorization']!) ?? -1);
      lastOf.set(headers['authorization']!, sequence);
    }
  }
  expect(lastOf.size).toBe(16);
});

test('a request is the same by its number, whoever gets it and whatever came before', () => {
  const senders = fc.constantFrom(fleet, drivers);
  const number = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(senders, number, fc.integer({ min: 0, max: 5 }), (who, n, before) => {
      const first = Math.max(0, n - before);
      expect(requestsOf(order(who, first, n - first + 1)).at(-1)).toEqual(requestsOf(order(who, n, 1))[0]);
    }),
    { numRuns: 30 },
  );
});
