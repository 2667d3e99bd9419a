import { decideRide } from '../../domain/decideRide';
import { standardPolicies } from '../../domain/policies';
import type { Ride, RideCommand } from '../../domain/ride';
import { at, codeOf, play, rideRequest, rideThatIs, standardRide } from '../support/rides';

describe('a rider who does not come', () => {
  const arrivedAtMs = 200_000;
  const report = (ms: number): RideCommand => ({ type: 'reportNoShow', at: at(ms), driverId: 'driver-1' });

  it('has until the last millisecond of the waiting time', () => {
    const tooEarly = report(arrivedAtMs + standardPolicies.noShowAfterMs - 1);
    expect(codeOf(() => decideRide(tooEarly, rideThatIs('arrived'), standardPolicies))).toBe(
      'no_show_too_early',
    );
  });

  it('then owes the fee', () => {
    const fact = decideRide(
      report(arrivedAtMs + standardPolicies.noShowAfterMs),
      rideThatIs('arrived'),
      standardPolicies,
    );
    expect(fact).toMatchObject({
      type: 'ride.cancelled',
      data: { by: 'no_show', feeMinor: 500, driverId: 'driver-1' },
    });
  });
});

describe('what a cancel costs', () => {
  const cancelAt = (ride: Ride, ms: number): unknown =>
    decideRide({ type: 'cancelByRider', at: at(ms), reason: 'changed_mind' }, ride, standardPolicies).data;
  const assignedAtMs = 5_000;

  it('nothing before a driver is on the way', () => {
    expect(cancelAt(rideThatIs('matching'), 86_400_000)).toMatchObject({ feeMinor: 0, driverId: null });
  });

  it('nothing in the last millisecond of the free time, the fee from the next one on', () => {
    const free = assignedAtMs + standardPolicies.freeCancellationMs - 1;
    expect(cancelAt(rideThatIs('assigned'), free)).toMatchObject({ feeMinor: 0 });
    expect(cancelAt(rideThatIs('assigned'), free + 1)).toMatchObject({ feeMinor: 500 });
  });

  it.each([
    ['a driver who has not come nearer earns none', 199, 0],
    ['one who has, does', 200, 500],
    ['one of whom nobody can say it, does', null, 500],
  ])('%s', (_what, approachMeters, feeMinor) => {
    const command = { type: 'cancelByRider', at: at(86_400_000), reason: 'x', approachMeters } as const;
    expect(decideRide(command, rideThatIs('assigned'), standardPolicies).data).toMatchObject({ feeMinor });
    expect(decideRide(command, rideThatIs('arrived'), standardPolicies).data).toMatchObject({
      feeMinor: 500,
    });
  });

  it('never more than a preview has promised', () => {
    const command = { type: 'cancelByRider', at: at(86_400_000), reason: 'x', agreedFeeMinor: 0 } as const;
    expect(decideRide(command, rideThatIs('assigned'), standardPolicies).data).toMatchObject({ feeMinor: 0 });
  });

  it('never more than the fare', () => {
    const fare = { currency: 'USD', totalMinor: 120, lines: [] };
    const request = rideRequest({ fare });
    const { ride } = play([{ type: 'request', at: at(0), request }, ...standardRide.slice(1, 4)]);
    expect(cancelAt(ride, 86_400_000)).toMatchObject({ feeMinor: 120 });
  });

  it('nothing in cash, where no hold secures it', () => {
    const request = rideRequest({ paymentMethod: { type: 'cash' } });
    const { ride } = play([{ type: 'request', at: at(0), request }, ...standardRide.slice(1, 4)]);
    expect(cancelAt(ride, 86_400_000)).toMatchObject({ feeMinor: 0 });
  });
});
