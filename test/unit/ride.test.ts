import { decideRide } from '../../domain/decideRide';
import { foldRide } from '../../domain/foldRide';
import { standardPolicies } from '../../domain/policies';
import { rideTransitions, terminalRideStatuses } from '../../domain/ride';
import type { Ride, RideCommand } from '../../domain/ride';
import { at, codeOf, everyCommand, play, rideThatIs, standardRide } from '../support/rides';

describe('a ride that goes as it should', () => {
  const { ride, facts } = play(standardRide);

  it('tells its story in facts', () => {
    expect(facts.map((fact) => fact.type)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
      'ride.driver_arrived',
      'ride.started',
      'ride.completed',
    ]);
  });

  it('ends completed, charged what was quoted, a version for every fact', () => {
    expect(ride).toMatchObject({ status: 'completed', version: 6, chargeMinor: 1_500, driverId: 'driver-1' });
    expect(ride.endedAt).toBe(at(1_200_000));
  });

  it('is rebuilt by folding its facts', () => {
    expect(facts.reduce<Ride | null>(foldRide, null)).toEqual(ride);
  });
});

describe('the transition table', () => {
  const statuses = [
    'scheduled',
    'requested',
    'matching',
    'assigned',
    'arrived',
    'in_progress',
    'completed',
  ] as const;
  const rows = everyCommand(at(86_400_000)).flatMap((command) =>
    statuses.map((status) => ({ type: command.type, status, command })),
  );

  it.each(rows)('$type on a ride that is $status', ({ type, status, command }) => {
    const ride = rideThatIs(status);
    const { from, to, fact } = rideTransitions[type];
    if (from.includes(status)) {
      const decided = decideRide(command, ride, standardPolicies);
      expect(decided.type).toBe(fact);
      const after = to === 'same' ? status : to;
      expect(foldRide(ride, decided)).toMatchObject({ status: after, version: ride.version + 1 });
    } else {
      expect(codeOf(() => decideRide(command, ride, standardPolicies))).toBe('illegal_transition');
    }
  });

  it('leads out of no terminal status', () => {
    const leaving = Object.values(rideTransitions).flatMap(({ from }) => from);
    expect(terminalRideStatuses.filter((status) => leaving.includes(status))).toEqual([]);
  });

  it.each(everyCommand(at(0)).filter(({ type }) => type !== 'request' && type !== 'schedule'))(
    'lets no $type begin a ride',
    (command) => {
      expect(codeOf(() => decideRide(command, null, standardPolicies))).toBe('illegal_transition');
    },
  );
});

describe('whose ride it is', () => {
  it.each(['arrive', 'unassignDriver'] as const)('refuses %s by another driver', (type) => {
    const command = { type, at: at(0), driverId: 'driver-2', reason: 'x' } as RideCommand;
    expect(codeOf(() => decideRide(command, rideThatIs('assigned'), standardPolicies))).toBe('not_your_ride');
  });

  it('goes back to matching without the driver who gave it back, and never asks that driver again', () => {
    const { ride } = play([
      ...standardRide.slice(0, 4),
      { type: 'unassignDriver', at: at(210_000), driverId: 'driver-1', reason: 'flat_tyre' },
    ]);
    expect(ride).toMatchObject({
      status: 'matching',
      driverId: null,
      assignedAt: null,
      arrivedAt: null,
      matchingSince: at(210_000),
      excludedDriverIds: ['driver-1'],
    });
  });
});
