import { randomUUID } from 'node:crypto';
import type { Raised } from '../../domain/paymentCalls';
import { paymentUpdates } from '../../domain/names';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { held } from '../support/playedProvider';

jest.setTimeout(60_000);

let played: PlayedPayments;
beforeAll(async () => {
  played = await startPlayedPayments();
});
beforeEach(() => played.provider.reset());
afterAll(() => played?.stop());

const raise = (rideId: string, toMinor: number, changeId: string = randomUUID()): Promise<Raised> =>
  played.saga.handle(rideId).executeUpdate<Raised, [object]>(paymentUpdates.raiseHold, {
    args: [{ changeId, toMinor }],
  });

const authorized = async (method: { type: 'cash' } | undefined = undefined): Promise<string> => {
  const rideId = await played.saga.open(method ? { method } : {});
  await played.untilStatus(rideId, 'authorized', 'cash_due');
  return rideId;
};

describe('a raise', () => {
  test('is asked for once for each change, and what is raised can be captured', async () => {
    const rideId = await authorized();
    const changeId = randomUUID();
    expect(await raise(rideId, 2_000, changeId)).toEqual({ raised: true });
    expect(await raise(rideId, 2_000, changeId)).toEqual({ raised: true });
    await played.saga.rideEnded(rideId, { amountMinor: 2_000, driverId: 'driver-1' });
    expect(await played.resultAfterWindow(rideId)).toBe('captured');
    expect(played.provider.asked(rideId)).toEqual(['authorize 1500', 'raise 2000', 'capture 2000']);
    expect(await played.factTypes(rideId)).toEqual([
      'payment.opened',
      'payment.authorized',
      'payment.hold_raised',
      'payment.captured',
    ]);
    const [row, folded] = await played.rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('to what is held already asks nobody', async () => {
    const rideId = await authorized();
    expect(await raise(rideId, 1_200)).toEqual({ raised: true });
    expect(played.provider.asked(rideId)).toEqual(['authorize 1500']);
    await played.saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  });

  test('that is declined leaves the hold as it was; the same change is declined again without asking', async () => {
    const rideId = await authorized();
    const declined: Raised = { raised: false, reason: 'insufficient_funds' };
    played.provider.next('raiseHold', () => Promise.resolve(declined));
    const changeId = randomUUID();
    expect(await raise(rideId, 2_000, changeId)).toEqual(declined);
    expect(await raise(rideId, 2_000, changeId)).toEqual(declined);
    await played.saga.rideEnded(rideId, { amountMinor: 2_000, driverId: 'driver-1' });
    expect(await played.resultAfterWindow(rideId)).toBe('captured');
    expect(played.provider.asked(rideId)).toEqual([
      'authorize 1500',
      'raise 2000',
      'capture 1500',
      'charge 500',
    ]);
  });

  test('of what is paid in cash asks no provider', async () => {
    const rideId = await authorized({ type: 'cash' });
    expect(await raise(rideId, 2_000)).toEqual({ raised: true });
    await played.saga.rideEnded(rideId, { amountMinor: 2_000, driverId: 'driver-1' });
    expect(await played.saga.result(rideId)).toBe('cash_settled');
    expect(played.provider.asked(rideId)).toEqual([]);
    expect(await played.booked(rideId)).toEqual({ 'driver_payable:driver-1': 400, platform_revenue: -400 });
  });
});

describe('a raise and the end of the ride', () => {
  test.each([
    [1_500, ['authorize 1500', 'raise 2000', 'capture 1500'], 'captured'],
    [0, ['authorize 1500', 'raise 2000', 'void'], 'voided'],
  ] as const)(
    'the end comes while it is asked for: settled after its answer (%s owed)',
    async (owed, asked, end) => {
      const rideId = await authorized();
      const answer = held<Raised>();
      played.provider.next('raiseHold', () => answer.promise);
      const raising = raise(rideId, 2_000);
      await answer.asked;
      await played.saga.rideEnded(rideId, { amountMinor: owed, driverId: null });
      await played.untilEvent(rideId, 'workflowExecutionSignaledEventAttributes');
      expect(played.provider.asked(rideId)).toHaveLength(2);
      answer.release({ raised: true });
      expect(await raising).toEqual({ raised: true });
      await played.untilStatus(rideId, end);
      expect(played.provider.asked(rideId)).toEqual(asked);
    },
  );

  test('it comes after the end: nothing is raised', async () => {
    const rideId = await authorized();
    const answer = played.provider.late<'capture', undefined>('capture');
    await played.saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    await answer.asked;
    expect(await raise(rideId, 2_000)).toEqual({ raised: false, reason: 'ride_ended' });
    answer.release(undefined);
    await played.untilStatus(rideId, 'captured');
    expect(played.provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500']);
  });
});
