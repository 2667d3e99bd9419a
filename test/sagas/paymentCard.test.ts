import { busyProvider, type ProviderActivities } from '../../activities/payments';
import { standardPolicies } from '../../domain/policies';
import { paymentWaits } from '../../domain/stuck';
import { cardOf, isStuck } from '../support/card';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
beforeEach(async () => (played = await startPlayedPayments()));
afterEach(() => played?.stop());

const limitMs = paymentWaits.provider.limitMs(standardPolicies);
const refusedConnection = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED'));

/** Every such call fails from now on; returns what mends it. */
function isDown(call: keyof ProviderActivities): () => void {
  let down = true;
  const fail = (): Promise<never> => {
    if (down) played.provider.next(call, fail);
    return refusedConnection();
  };
  played.provider.next(call, fail);
  return () => (down = false);
}

const time = '20\\d\\d-\\d\\d-\\d\\dT[\\d:.]+Z';

const failedAt = (card: string): number => Date.parse(/last failure: (20[^,]+),/.exec(card)![1]!);

const untilCard = (rideId: string, words: string): Promise<string> =>
  eventually(async () => {
    const card = await cardOf(played.saga.handle(rideId));
    return card.includes(words) ? card : undefined;
  });
const untilStuck = (rideId: string, stuck: boolean): Promise<true> =>
  eventually(async () => (await isStuck(played.saga.handle(rideId))) === stuck || undefined);

test('says where the payment is, since when, what for it waits, what failed and what to do', async () => {
  const rideId = await played.saga.open();
  const card = await untilCard(rideId, 'the ride to end');
  expect(card.split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^\\*\\*authorized\\*\\* \\(version 2\\), since ${time}$`)),
    '',
    '- waits for: the ride to end',
    '- last failure: none',
    '- next action: nothing to do',
    `- card: USD 15.00; at the provider: \`pi_${rideId}\``,
  ]);
});

test('has a call that failed as the last failure, quick or regular, and the payment as stuck after two minutes', async () => {
  const { saga } = played;
  const comesBack = isDown('authorize');
  const rideId = await saga.open();
  const card = await untilCard(rideId, 'ECONNREFUSED');
  expect(card).toContain('**authorizing** (version 1)');
  expect(card).toContain('- waits for: the payment provider: Hold USD 15.00\n');
  expect(card).toMatch(new RegExp(`- last failure: ${time}, Hold USD 15.00: \`connect ECONNREFUSED\`\n`));
  expect(card).toContain('- next action: nothing to do');
  await played.sleep(limitMs - 10_000);
  expect(await isStuck(saga.handle(rideId))).toBeUndefined();
  await played.sleep(12_000);
  await untilStuck(rideId, true);
  // It has heard of the attempts since, too.
  expect(failedAt(await cardOf(saga.handle(rideId)))).toBeGreaterThan(failedAt(card) + 5_000);
  expect(await cardOf(saga.handle(rideId))).toContain(`- next action: ${paymentWaits.provider.action}`);
  comesBack();
  await played.sleep(12_000);
  await untilCard(rideId, 'the ride to end');
  await untilStuck(rideId, false);
});

test('has the failure of a call that began as a regular one, too: a hold that could not be released', async () => {
  const { saga } = played;
  const rideId = await saga.open();
  await played.untilStatus(rideId, 'authorized');
  const comesBack = isDown('voidHold');
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  const card = await untilCard(rideId, 'last failure: 20');
  expect(card).toContain('Release the hold of USD 15.00: `connect ECONNREFUSED`');
  comesBack();
  await played.sleep(5_000);
  await played.untilStatus(rideId, 'voided');
  expect(await isStuck(saga.handle(rideId))).toBeUndefined();
});

test('a provider that says when it wants to be asked again is not asked before, though it was asked quickly', async () => {
  const { provider, saga } = played;
  provider.next('authorize', () => Promise.reject(busyProvider(new Error('too many requests'), 90_000)));
  const rideId = await saga.open();
  await untilCard(rideId, 'too many requests');
  await played.sleep(60_000);
  expect(provider.asked(rideId)).toEqual(['authorize 1500']);
  await played.sleep(40_000);
  await played.untilStatus(rideId, 'authorized');
});

test('shows whatever a failure says as code on one line', async () => {
  const { provider, saga } = played;
  provider.next('authorize', () => Promise.reject(new Error('<b>`502`</b>\nBad\n\n- Gateway')));
  const rideId = await saga.open();
  const card = await untilCard(rideId, 'last failure: 20');
  expect(card).toContain("Hold USD 15.00: `<b>'502'</b> Bad - Gateway`\n- next action");
});
