import { standardPolicies } from '../../domain/policies';
import { stuckBounds, stuckIn } from '../../domain/stuck';
import type { Ride } from '../../domain/ride';
import { at, play, rideRequest, rideThatIs } from '../support/rides';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { scheduleLeadMs } = standardPolicies;

test('a ride for later is stuck when it was not released, long before its pickup', () => {
  const request = rideRequest({ scheduledFor: at(2 * HOUR) });
  const { ride } = play([{ type: 'schedule', at: at(0), request }]);
  const releaseMs = 2 * HOUR - scheduleLeadMs;
  expect(stuckIn(ride, at(releaseMs + 2 * MINUTE), standardPolicies)).toBeNull();
  expect(stuckIn(ride, at(releaseMs + 3 * MINUTE), standardPolicies)).toMatchObject({
    since: at(releaseMs),
    overdueMs: MINUTE,
  });
});

test.each(['scheduled', 'requested', 'matching', 'assigned', 'arrived', 'in_progress'] as const)(
  'what is stuck as %s is beyond the bound of a search for it, whatever makes its wait longer',
  (status) => {
    const ride = rideThatIs(status);
    for (const needs of [{}, { durationSeconds: 0 }, { reservedDriverId: 'driver-2' }]) {
      const waiting: Ride = { ...ride, ...needs };
      for (let minute = 0; minute < 300; minute++) {
        const time = at(minute * MINUTE);
        const { since, before } = stuckBounds(time, standardPolicies).find((one) => one.status === status)!;
        const isBeyond = Date.parse(waiting[since] ?? waiting.requestedAt) < Date.parse(before);
        if (stuckIn(waiting, time, standardPolicies)) expect(isBeyond).toBe(true);
        else if (minute === 0) expect(isBeyond).toBe(false);
      }
    }
  },
);
