import { WorkflowUpdateFailedError } from '@temporalio/client';
import { paymentWorkflowId, rideWorkflowId, stepId } from '../../domain/names';
import type { Charged } from '../../domain/paymentCalls';
import { refusalOf } from '../support/paymentSaga';
import { eventually, startRideSaga } from '../support/rideSaga';
import type { RideSaga } from '../support/rideSaga';

let saga: RideSaga;

beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => {
  saga.nearby.length = 0;
});

describe('a ride that goes as it should', () => {
  it('is requested, paid for, matched, driven and charged', async () => {
    const { rideId, driverId } = await saga.arrived();
    await saga.update(rideId, 'start', { driverId });
    await saga.update(rideId, 'complete', { driverId });
    expect(await saga.result(rideId)).toBe('completed');
    expect(await saga.factTypes(rideId)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
      'ride.driver_arrived',
      'ride.started',
      'ride.completed',
    ]);
    await saga.untilPayment(rideId, 'captured');
    expect(saga.provider.asked(rideId)).toEqual(['authorize 1850', 'capture 1500']);
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
  });

  it('holds the driver while it lasts', async () => {
    const { rideId, driverId } = await saga.assigned();
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId });
  });
});

describe('the ways out', () => {
  it('card declined: payment_failed, nobody asked', async () => {
    saga.provider.next('authorize', () => Promise.resolve({ charged: false, reason: 'card_declined' }));
    const rideId = await saga.request();
    expect(await saga.result(rideId)).toBe('payment_failed');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'card_declined', chargeMinor: 0 });
    expect(await saga.factTypes(rideId)).toEqual(['ride.requested', 'ride.payment_failed']);
  });

  it('cancelled by the rider while matching: offers withdrawn, drivers free, nothing owed', async () => {
    const driverId = 'driver-1';
    await saga.drivers(driverId);
    const rideId = await saga.request();
    await saga.offerTo(driverId);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await saga.untilPayment(rideId, 'voided');
  });

  it('cancelled while the provider is still asked: the hold that comes late is released', async () => {
    const late = saga.provider.late<'authorize', Charged>('authorize');
    const rideId = await saga.request();
    await late.asked;
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect((await saga.ride(rideId)).status).toBe('cancelled');
    late.release({ charged: true, intentId: 'pi_late' });
    await saga.untilPayment(rideId, 'voided');
    expect(saga.provider.asked(rideId)).toEqual(['authorize 1850', 'void']);
  });

  it('cancelled by the driver: back to matching with the same hold, without that driver', async () => {
    const { rideId, driverId } = await saga.assigned();
    const other = 'driver-other';
    await saga.drivers(other);
    await saga.update(rideId, 'unassign', { driverId, reason: 'flat_tyre' });
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await saga.accept(other);
    expect(await saga.ride(rideId)).toMatchObject({ status: 'assigned', driverId: other });
    expect(saga.provider.asked(rideId)).toEqual(['authorize 1850']);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('cancelled by an operator under way: nothing is charged', async () => {
    const { rideId, driverId } = await saga.arrived();
    await saga.update(rideId, 'start', { driverId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'safety' });
    expect(await saga.result(rideId)).toBe('cancelled');
    await saga.untilPayment(rideId, 'voided');
  });

  it('its workflow cancelled in the web UI: the same as by an operator, driver free and hold released', async () => {
    const { rideId, driverId } = await saga.assigned();
    await saga.client.workflow.getHandle(rideWorkflowId(rideId)).cancel();
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'workflow_cancelled' });
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await saga.untilPayment(rideId, 'voided');
  });
});

describe('a search', () => {
  it('looks further each time that nobody is found, without a pause, up to the most', async () => {
    const radii: number[] = [];
    saga.instead.offerRide = ({ radiusMeters }) => Promise.resolve(radii.push(radiusMeters) && 0);
    const rideId = await saga.request({}, { searchPauseMs: 60_000 });
    await eventually(() => Promise.resolve(radii.length >= 3 || undefined));
    expect(radii).toEqual([3_000, 6_000, 12_000]);
    delete saga.instead.offerRide;
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
  });

  it('offers say how far the driver is on the road, and for how long', async () => {
    await saga.drivers('driver-near');
    const rideId = await saga.request();
    const { offerId } = await saga.offerTo('driver-near');
    const { rows } = await saga.pool.query<{ meters: number; seconds: number }>(
      'select pickup_distance_meters as meters, eta_seconds as seconds from offers where offer_id = $1',
      [offerId],
    );
    expect(rows[0]!.meters).toBe(127);
    expect(rows[0]!.seconds).toBeGreaterThan(20);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
  });
});

describe('races', () => {
  it('of all drivers who accept exactly one wins, the others are free', async () => {
    const drivers = ['driver-a', 'driver-b', 'driver-c'];
    await saga.drivers(...drivers);
    const rideId = await saga.request();
    await Promise.all(drivers.map((driverId) => saga.offerTo(driverId)));
    const answers = await Promise.allSettled(drivers.map((driverId) => saga.accept(driverId)));
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
    const { driverId: winner } = await saga.ride(rideId);
    for (const driverId of drivers) {
      expect(await saga.lease(driverId)).toEqual({
        offerId: null,
        rideId: driverId === winner ? rideId : null,
      });
    }
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('a step that was committed by a lost attempt is folded in, and the cancel decided anew on it', async () => {
    saga.before.cancelByRider = async (step) => {
      const offerId = await winOffer(step.aggregateId);
      const data = { driverId: 'driver-lost', offerId };
      await saga.activities.transitions.assignDriver({
        ...step,
        stepId: `${step.aggregateId}/assignDriver/lost`,
        fact: { type: 'ride.driver_assigned', at: step.fact.at, data },
      });
    };
    await saga.drivers('driver-lost');
    const rideId = await saga.request();
    await saga.offerTo('driver-lost');
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await saga.factTypes(rideId)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
      'ride.cancelled',
    ]);
    expect(await saga.lease('driver-lost')).toEqual({ offerId: null, rideId: null });
  });

  async function winOffer(rideId: string): Promise<string> {
    const { rows } = await saga.pool.query<{ offer_id: string }>(
      `update offers set state = 'accepted' where ride_id = $1 and state = 'offered' returning offer_id`,
      [rideId],
    );
    return rows[0]!.offer_id;
  }

  it('a step whose Update was lost with its server is found before the next command is refused', async () => {
    const { rideId, driverId } = await saga.assigned();
    const { version } = await saga.ride(rideId);
    // What the worker had committed when server and worker went down together.
    await saga.activities.transitions.arrive({
      stepId: stepId(rideId, 'arrive', version),
      aggregateId: rideId,
      expectedVersion: version,
      fact: { type: 'ride.driver_arrived', at: new Date().toISOString(), data: { driverId } },
    });
    expect(await saga.update(rideId, 'start', { driverId })).toMatchObject({ status: 'in_progress' });
    expect(await saga.factTypes(rideId)).toEqual(
      expect.arrayContaining(['ride.driver_arrived', 'ride.started']),
    );
  });
});

describe('what cannot be done', () => {
  it('is refused with its code, and changes nothing', async () => {
    const { rideId, driverId } = await saga.assigned();
    const before = await saga.ride(rideId);
    expect(await refusalOf(saga.update(rideId, 'start', { driverId }))).toBe('illegal_transition');
    expect(await refusalOf(saga.update(rideId, 'arrive', { driverId: 'driver-other' }))).toBe(
      'not_your_ride',
    );
    expect(await saga.ride(rideId)).toEqual(before);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('a charge whose payment is gone is parked for an operator, and goes on with the word skip', async () => {
    const { rideId, driverId } = await saga.arrived();
    await saga.update(rideId, 'start', { driverId });
    await saga.client.workflow.getHandle(paymentWorkflowId(rideId)).terminate('lost in a test');
    await saga.update(rideId, 'complete', { driverId });
    const handle = saga.client.workflow.getHandle(rideWorkflowId(rideId));
    await eventually(async () => {
      try {
        await handle.executeUpdate('skipCompensation');
        return true;
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError) return undefined;
        throw error;
      }
    });
    expect(await saga.result(rideId)).toBe('completed');
  });
});
