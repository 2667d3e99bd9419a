import { createPositionsHandler } from '../../consumers/location/handler';
import { PositionIndex } from '../../consumers/location/positionIndex';
import type { DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { nowMs } from '../support/positionIndexes';

const keepMs = 60_000;

/** A handler whose clock stands still until it is set. */
function startHandler() {
  const index = new PositionIndex();
  const clock = { nowMs };
  const handler = createPositionsHandler({ index, keepMs, now: () => clock.nowMs });
  return {
    ...{ handler, clock },
    say(position: Pick<DriverPosition, 'driverId' | 'sequence'>, ageMs = 0) {
      const writer = new PositionWriter(clock.nowMs);
      writer.add({ lat: 40.75, lng: -73.98, ...position, atMs: clock.nowMs - ageMs });
      const value = Buffer.from(writer.finish());
      handler.take([{ partition: 0, value, timestamp: clock.nowMs }]);
    },
    known: () => ['gone', 'back', 'late'].filter((id) => index.find(id, clock.nowMs) !== null),
  };
}

test('drivers are forgotten once they have been silent for longer than they are kept, to the millisecond', () => {
  const { handler, clock, say, known } = startHandler();
  say({ driverId: 'gone', sequence: 1 });
  say({ driverId: 'back', sequence: 1 });
  // By when they were there, not by when they said so.
  say({ driverId: 'late', sequence: 1 }, keepMs);
  expect(handler.sweep()).toBe(0);
  clock.nowMs += 1;
  expect([handler.sweep(), known()]).toEqual([1, ['gone', 'back']]);

  clock.nowMs = nowMs + keepMs / 2;
  say({ driverId: 'back', sequence: 2 });
  clock.nowMs = nowMs + keepMs;
  expect([handler.sweep(), known()]).toEqual([0, ['gone', 'back']]);
  clock.nowMs += 1;
  expect([handler.sweep(), known()]).toEqual([1, ['back']]);
  clock.nowMs = nowMs + keepMs / 2 + keepMs + 1;
  expect([handler.sweep(), known()]).toEqual([1, []]);
});

test('who has fallen silent is not let in again by what was said before then, and is by what comes anew', () => {
  const { handler, clock, say, known } = startHandler();
  say({ driverId: 'late', sequence: 1 }, keepMs + 1);
  expect([known(), handler.counts]).toMatchObject([[], { applied: 0, silent: 1 }]);
  say({ driverId: 'back', sequence: 5 });
  clock.nowMs += keepMs + 1;
  expect(handler.sweep()).toBe(1);
  say({ driverId: 'back', sequence: 6 });
  expect([known(), handler.sweep()]).toEqual([['back'], 0]);
});
