import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { paymentWorkflowId, rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { eventually, startRideSaga } from '../support/rideSaga';
import type { RideSaga } from '../support/rideSaga';
import { createDatabase, timeSkippingEnvironment } from '../support/servers';
import type { Pool } from '../../platform/postgres';
import { createPool } from '../../platform/postgres';

let env: TestWorkflowEnvironment;
let pool: Pool;
let saga: RideSaga;
let counter = 0;

/** Drivers of this test alone: their leases outlive a test. */
const names = (count: number): string[] => Array.from({ length: count }, () => `driver-${(counter += 1)}`);

const refusal = async (answer: Promise<unknown>): Promise<string | null | undefined> => {
  try {
    await answer;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
      return error.cause.type;
    throw error;
  }
  return 'no refusal';
};

const resultOf = (rideId: string): Promise<unknown> =>
  saga.client.workflow.getHandle(rideWorkflowId(rideId)).result();

beforeAll(async () => {
  env = await timeSkippingEnvironment();
  pool = createPool(await createDatabase('rides'), { applicationName: 'test', max: 10 });
});
afterAll(async () => {
  await pool?.end();
  await env?.teardown();
});
beforeEach(async () => {
  saga = await startRideSaga({ env, pool });
});
afterEach(() => saga.stop());

/** A ride that has its driver. */
async function assignedRide(): Promise<{ rideId: string; driverId: string }> {
  const [driverId] = names(1) as [string];
  await saga.drivers(driverId);
  const rideId = await saga.request();
  await saga.accept(driverId);
  await saga.until(rideId, (ride) => ride.status === 'assigned');
  return { rideId, driverId };
}

async function arrivedRide(): Promise<{ rideId: string; driverId: string }> {
  const ride = await assignedRide();
  await saga.update(ride.rideId, 'arrive', { driverId: ride.driverId });
  return ride;
}

describe('a ride that goes as it should', () => {
  it('is requested, paid for, matched, driven and charged', async () => {
    const { rideId, driverId } = await arrivedRide();
    await saga.update(rideId, 'start', { driverId });
    await saga.update(rideId, 'complete', { driverId });
    expect(await resultOf(rideId)).toBe('completed');
    expect(await saga.factTypes(rideId)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
      'ride.driver_arrived',
      'ride.started',
      'ride.completed',
    ]);
    await eventually(async () => saga.payments.payment(rideId)?.status === 'captured' || undefined);
    expect(saga.payments.asked(rideId)).toEqual(['authorize', 'capture 1500']);
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
  });

  it('holds the driver while it lasts', async () => {
    const { rideId, driverId } = await assignedRide();
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId });
  });
});

describe('the ways out', () => {
  it('card declined: payment_failed, nobody asked', async () => {
    await saga.stop();
    const declined = () => Promise.resolve({ charged: false, reason: 'card_declined' } as const);
    saga = await startRideSaga({ env, pool, authorize: declined });
    const rideId = await saga.request();
    expect(await resultOf(rideId)).toBe('payment_failed');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'card_declined', chargeMinor: 0 });
    expect(await saga.factTypes(rideId)).toEqual(['ride.requested', 'ride.payment_failed']);
  });

  it('nobody near: no_driver at the deadline, not before, the hold released', async () => {
    const rideId = await saga.request();
    await saga.until(rideId, (ride) => ride.status === 'matching');
    await env.sleep(standardPolicies.matchingDeadlineMs - 10_000);
    expect((await saga.ride(rideId)).status).toBe('matching');
    await env.sleep(20_000);
    expect(await resultOf(rideId)).toBe('no_driver');
    await eventually(async () => saga.payments.payment(rideId)?.status === 'voided' || undefined);
  });

  it('everybody declines: the next batch goes out at once, and those who declined are not asked again', async () => {
    const [first, second] = names(2) as [string, string];
    await saga.drivers(first);
    const rideId = await saga.request({}, { offerBatchSize: 1 });
    await saga.decline(first);
    await saga.drivers(second);
    const offer = await eventually(async () => {
      await env.sleep(1_000);
      const { rows } = await pool.query<{ driver_id: string }>(
        `select driver_id from offers where ride_id = $1 and state = 'offered'`,
        [rideId],
      );
      return rows[0];
    });
    expect(offer.driver_id).toBe(second);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
  });

  it('cancelled by the rider while matching: offers withdrawn, drivers free, nothing owed', async () => {
    const [driverId] = names(1) as [string];
    await saga.drivers(driverId);
    const rideId = await saga.request();
    await saga.offerTo(driverId);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await resultOf(rideId)).toBe('cancelled');
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await eventually(async () => saga.payments.payment(rideId)?.status === 'voided' || undefined);
  });

  it('cancelled by the rider after the free time: the fee is captured, the rest released', async () => {
    const { rideId } = await assignedRide();
    await env.sleep(standardPolicies.freeCancellationMs + 1_000);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await resultOf(rideId)).toBe('cancelled');
    await eventually(async () => saga.payments.payment(rideId)?.status === 'captured' || undefined);
    expect(saga.payments.asked(rideId)).toEqual(['authorize', 'capture 500']);
  });

  it('cancelled while the provider is still asked: the hold that comes late is released', async () => {
    await saga.stop();
    let answer: (charged: { charged: true; intentId: string }) => void = () => undefined;
    const late = () => new Promise<{ charged: true; intentId: string }>((resolve) => (answer = resolve));
    saga = await startRideSaga({ env, pool, authorize: late });
    const rideId = await saga.request();
    await eventually(() => Promise.resolve(saga.payments.asked(rideId).length > 0 || undefined));
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect((await saga.ride(rideId)).status).toBe('cancelled');
    answer({ charged: true, intentId: 'pi_late' });
    await eventually(async () => saga.payments.payment(rideId)?.status === 'voided' || undefined);
    expect(saga.payments.asked(rideId)).toEqual(['authorize', 'void']);
  });

  it('cancelled by the driver: back to matching with the same hold, without that driver', async () => {
    const { rideId, driverId } = await assignedRide();
    const [other] = names(1) as [string];
    await saga.drivers(other);
    await saga.update(rideId, 'unassign', { driverId, reason: 'flat_tyre' });
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await saga.accept(other);
    expect(await saga.ride(rideId)).toMatchObject({ status: 'assigned', driverId: other });
    expect(saga.payments.asked(rideId)).toEqual(['authorize']);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('the rider does not show: refused before the waiting time is over, then cancelled with the fee', async () => {
    const { rideId, driverId } = await arrivedRide();
    expect(await refusal(saga.update(rideId, 'reportNoShow', { driverId }))).toBe('no_show_too_early');
    await env.sleep(standardPolicies.noShowAfterMs);
    await saga.update(rideId, 'reportNoShow', { driverId });
    expect(await resultOf(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'no_show', chargeMinor: 500 });
  });

  it('cancelled by an operator under way: nothing is charged', async () => {
    const { rideId, driverId } = await arrivedRide();
    await saga.update(rideId, 'start', { driverId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'safety' });
    expect(await resultOf(rideId)).toBe('cancelled');
    await eventually(async () => saga.payments.payment(rideId)?.status === 'voided' || undefined);
  });

  it('its workflow cancelled in the web UI: the same as by an operator, driver free and hold released', async () => {
    const { rideId, driverId } = await assignedRide();
    await saga.client.workflow.getHandle(rideWorkflowId(rideId)).cancel();
    expect(await resultOf(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'workflow_cancelled' });
    expect(await saga.lease(driverId)).toEqual({ offerId: null, rideId: null });
    await eventually(async () => saga.payments.payment(rideId)?.status === 'voided' || undefined);
  });
});

describe('races', () => {
  it('adopts a winner whose Update never came', async () => {
    const [driverId] = names(1) as [string];
    await saga.drivers(driverId);
    const rideId = await saga.request();
    await saga.accept(driverId, { update: false });
    await env.sleep(standardPolicies.offerTtlMs + 1_000);
    expect(await saga.until(rideId, (ride) => ride.status === 'assigned')).toMatchObject({ driverId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('of all drivers who accept exactly one wins, the others are free', async () => {
    const drivers = names(3);
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
    // The assignment is committed, its answer lost: the next decision finds the version taken.
    await saga.stop();
    let lost = false;
    saga = await startRideSaga({
      env,
      pool,
      around: (real) => ({
        ...real,
        transitions: {
          ...real.transitions,
          async cancelByRider(step) {
            if (!lost) {
              lost = true;
              const offerId = await winOffer(step.aggregateId);
              await real.transitions.assignDriver({
                ...step,
                stepId: `${step.aggregateId}/assignDriver/lost`,
                fact: {
                  type: 'ride.driver_assigned',
                  at: step.fact.at,
                  data: { driverId: 'driver-lost', offerId },
                },
              });
            }
            return real.transitions.cancelByRider(step);
          },
        },
      }),
    });
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
    const { rows } = await pool.query<{ offer_id: string }>(
      `update offers set state = 'accepted' where ride_id = $1 and state = 'offered' returning offer_id`,
      [rideId],
    );
    return rows[0]!.offer_id;
  }
});

describe('what cannot be done', () => {
  it('is refused with its code, and changes nothing', async () => {
    const { rideId, driverId } = await assignedRide();
    const before = await saga.ride(rideId);
    expect(await refusal(saga.update(rideId, 'start', { driverId }))).toBe('illegal_transition');
    expect(await refusal(saga.update(rideId, 'arrive', { driverId: 'driver-other' }))).toBe('not_your_ride');
    expect(await saga.ride(rideId)).toEqual(before);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('a charge whose payment is gone is parked for an operator, and goes on with the word skip', async () => {
    const { rideId, driverId } = await arrivedRide();
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
    expect(await resultOf(rideId)).toBe('completed');
  });
});
