import { ApplicationFailure } from '@temporalio/common';
import type { Charged } from '../../domain/paymentCalls';
import { cardOf, phaseOf } from '../support/card';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { provider, saga, sleep, untilStatus, resultAfterWindow } = {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ provider, saga, sleep, untilStatus, resultAfterWindow } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const ended = { amountMinor: 1_500, driverId: 'driver-1' };
const declined: Charged = { charged: false, reason: 'insufficient_funds' };
const asksRider: Charged = { charged: false, reason: 'action_required', actionIntentId: 'pi_action' };

const untilPhase = (rideId: string, phase: string): Promise<true> =>
  eventually(async () => (await phaseOf(saga.handle(rideId))) === phase || undefined);
const untilCard = (rideId: string, words: string): Promise<string> =>
  eventually(async () => {
    const card = await cardOf(saga.handle(rideId));
    return card.includes(words) ? card : undefined;
  });

test('a payment that goes as it should says nothing: each word is an event of its history', async () => {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  await saga.rideEnded(rideId, ended);
  expect(await resultAfterWindow(rideId)).toBe('captured');
  expect(await phaseOf(saga.handle(rideId))).toBeUndefined();
});

test('one whose rider is asked by their bank is found by that, until they have answered', async () => {
  provider.next('authorize', () => Promise.resolve(asksRider));
  const rideId = await saga.open();
  await untilPhase(rideId, 'action_required');
  await saga.news(rideId);
  await untilPhase(rideId, 'in_order');
});

test('a decline is found, and its card says the reason', async () => {
  provider.next('authorize', () => Promise.resolve(declined));
  const rideId = await saga.open();
  expect(await saga.result(rideId)).toBe('failed');
  await untilPhase(rideId, 'failed');
  expect(await cardOf(saga.handle(rideId))).toContain(
    '- card: USD 15.00; reason: `insufficient_funds`; at the',
  );
});

test('a call in doubt is found, and its card says which and since when', async () => {
  for (let i = 0; i < 3; i += 1)
    provider.next('authorize', () => Promise.reject(new Error('socket hang up')));
  const rideId = await saga.open();
  await untilPhase(rideId, 'unresolved');
  expect(await cardOf(saga.handle(rideId))).toMatch(
    /; in doubt since 20\S+Z: authorize; at the provider: none/,
  );
  await sleep('2 minutes');
  await untilPhase(rideId, 'in_order');
  expect(await cardOf(saga.handle(rideId))).not.toContain('in doubt');
});

test('a debt is found, and its card says how much and why, beside what is parked', async () => {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  provider.next('capture', () => Promise.reject(ApplicationFailure.nonRetryable('it is gone', 'hold_gone')));
  provider.next('collect', () => Promise.resolve(declined));
  await saga.rideEnded(rideId, ended);
  await untilPhase(rideId, 'owed');
  expect(await untilCard(rideId, 'Parked')).toContain(
    '- owed; card: USD 15.00; owed: USD 15.00; reason: `insufficient_funds`; at the provider',
  );
  await saga.operator(rideId, 'retryNow');
  await untilPhase(rideId, 'in_order');
  expect(await cardOf(saga.handle(rideId))).toContain(
    '- card: USD 15.00; captured: USD 15.00; at the provider',
  );
});
