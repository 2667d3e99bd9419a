import { standardPolicies } from '../../domain/policies';
import { refusalOf } from '../support/paymentSaga';
import { eventually, startRideSaga } from '../support/rideSaga';
import type { RideSaga } from '../support/rideSaga';

/**
 * Rides in which time passes. Each has a test server of its own: a server was seen to stop skipping for good after a
 * ride whose payment was voided.
 */
let saga: RideSaga;

beforeEach(async () => {
  saga = await startRideSaga();
});
afterEach(() => saga?.stop());

describe('when time passes', () => {
  it('nobody near: no_driver at the deadline, not before, the hold released', async () => {
    const rideId = await saga.request({}, { searchPauseMs: 60_000 });
    await saga.until(rideId, (ride) => ride.status === 'matching');
    await saga.env.sleep(standardPolicies.matchingDeadlineMs - 10_000);
    expect((await saga.ride(rideId)).status).toBe('matching');
    await saga.env.sleep(20_000);
    expect(await saga.result(rideId)).toBe('no_driver');
    await saga.untilPayment(rideId, 'voided');
  });

  it('everybody declines: the next batch goes out at once, and those who declined are not asked again', async () => {
    const [first, second] = ['driver-1', 'driver-2'];
    await saga.drivers(first);
    const rideId = await saga.request({}, { offerBatchSize: 1 });
    await saga.decline(first);
    await saga.drivers(second);
    const offer = await eventually(async () => {
      await saga.env.sleep(1_000);
      const { rows } = await saga.pool.query<{ driver_id: string }>(
        `select driver_id from offers where ride_id = $1 and state = 'offered'`,
        [rideId],
      );
      return rows[0];
    });
    expect(offer.driver_id).toBe(second);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
  });

  it('cancelled by the rider after the free time: the fee is captured, the rest released', async () => {
    const { rideId } = await saga.assigned();
    await saga.env.sleep(standardPolicies.freeCancellationMs + 1_000);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await saga.result(rideId)).toBe('cancelled');
    await saga.untilPayment(rideId, 'captured');
    expect(saga.provider.asked(rideId)).toEqual(['authorize 1850', 'capture 500']);
  });

  it('the rider does not show: refused before the waiting time is over, then cancelled with the fee', async () => {
    const { rideId, driverId } = await saga.arrived();
    expect(await refusalOf(saga.update(rideId, 'reportNoShow', { driverId }))).toBe('no_show_too_early');
    await saga.env.sleep(standardPolicies.noShowAfterMs);
    await saga.update(rideId, 'reportNoShow', { driverId });
    expect(await saga.result(rideId)).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'no_show', chargeMinor: 500 });
  });

  it('adopts a winner whose Update never came', async () => {
    const driverId = 'driver-1';
    await saga.drivers(driverId);
    const rideId = await saga.request();
    await saga.accept(driverId, { update: false });
    await saga.env.sleep(standardPolicies.offerTtlMs + 1_000);
    expect(await saga.until(rideId, (ride) => ride.status === 'assigned')).toMatchObject({ driverId });
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });
});
