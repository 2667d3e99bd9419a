import type { PayoutActivities, PayoutGround } from '../support/payoutGround';
import { startPayoutGround } from '../support/payoutGround';
import { playedTransfers } from '../support/playedTransfers';
import { payoutWorkflowId } from '../../domain/names';
import { cardOf, isStuck } from '../support/card';
import { payoutIdOf } from '../../services/payments/books/payoutStore';
import { timeSkippingEnvironment } from '../support/servers';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

jest.setTimeout(120_000);

const provider = playedTransfers();
let env: TestWorkflowEnvironment;
let ground: PayoutGround;
/** What happens once, before the payouts' plan is answered. */
let afterPlan: (() => Promise<void>) | undefined;
/** Whether workflows ask as they did before minimums were by currency. */
let asBefore = false;
const asked = <Order extends object>(order: Order): Order =>
  asBefore ? { ...order, payoutMinimums: undefined } : order;

beforeAll(async () => {
  env = await timeSkippingEnvironment();
  const instead = (real: PayoutActivities) => ({
    ...provider.activities,
    planPayout: async (order: Parameters<PayoutActivities['planPayout']>[0]) => {
      const plan = await real.planPayout(asked(order));
      const [then] = [afterPlan, (afterPlan = undefined)];
      await then?.();
      return plan;
    },
    payoutPage: (order: Parameters<PayoutActivities['payoutPage']>[0]) => real.payoutPage(asked(order)),
  });
  ground = await startPayoutGround({ env, instead });
});
afterAll(() => ground?.stop());

const week = (driverId: string, period = '2026-W09', currency = 'USD') => ({ driverId, currency, period });
const ended = ({ status }: { status: string }) => status !== 'started';

test('a driver is paid what is owed; the books and the facts say the same', async () => {
  const driverId = await ground.driver(5_000);
  const clearing = await ground.account('provider_clearing');
  await ground.batch('2026-W09');
  const payout = await ground.untilPayout(week(driverId), ended);
  expect(payout).toMatchObject({ status: 'paid', amountMinor: 5_000, version: 2 });
  expect(provider.sentTo(driverId)).toEqual([5_000]);
  expect(await ground.owed(driverId)).toBe(0);
  expect(await ground.account('payouts_in_transit')).toBe(0);
  expect(await ground.account('provider_clearing')).toBe(clearing - 5_000);
  const [row, fold] = await ground.rowAndFold(payout.payoutId, 'payout');
  expect(row).toEqual(fold);
});

test('a batch that began before minimums were by currency ends as every other', async () => {
  const driverId = await ground.driver(5_000);
  asBefore = true;
  await ground.batch('2026-W08');
  await ground.untilPayout(week(driverId, '2026-W08'), ended);
  asBefore = false;
  expect(provider.sentTo(driverId)).toEqual([5_000]);
});

test('batches of one week pay once, at once and later; the next week pays what came since', async () => {
  const driverId = await ground.driver(5_000);
  await Promise.all([1, 2, 3].map(() => ground.batch('2026-W10')));
  await ground.untilPayout(week(driverId, '2026-W10'), ended);
  await ground.earned(driverId, 700);
  await ground.batch('2026-W10');
  await ground.batch('2026-W11');
  await ground.untilPayout(week(driverId, '2026-W11'), ended);
  expect(provider.sentTo(driverId)).toEqual([5_000, 700]);
});

test('batches of two weeks at once pay a balance once', async () => {
  const driverId = await ground.driver(5_000);
  const weeks = ['2026-W12', '2026-W13', '2026-W14'].map((period) => week(driverId, period));
  const handles = await Promise.all(weeks.map((due) => ground.pay(due)));
  const results = await Promise.all(handles.map((handle) => handle.result() as Promise<string>));
  expect(results.sort()).toEqual(['nothing', 'nothing', 'paid']);
  expect(provider.sentTo(driverId)).toEqual([5_000]);
});

test('a balance that changes before it is booked is paid as it is by then', async () => {
  const driverId = await ground.driver(5_000);
  afterPlan = () => ground.earned(driverId, -1_500);
  expect(await (await ground.pay(week(driverId))).result()).toBe('paid');
  expect(provider.sentTo(driverId)).toEqual([3_500]);
});

test('less than the minimum, and what a driver owes, is carried on', async () => {
  const small = await ground.driver(99);
  const indebted = await ground.driver(-300);
  await ground.batch('2026-W15');
  await ground.earned(small, 1);
  await ground.earned(indebted, 350);
  await ground.batch('2026-W16');
  await ground.earned(indebted, 100);
  await ground.batch('2026-W17');
  await ground.untilPayout(week(small, '2026-W16'), ended);
  await ground.untilPayout(week(indebted, '2026-W17'), ended);
  expect(provider.sentTo(small)).toEqual([100]);
  expect(provider.sentTo(indebted)).toEqual([150]);
});

test('each currency is paid by itself: none makes good for another', async () => {
  const driverId = await ground.driver(5_000);
  await ground.earned(driverId, 900, 'JPY');
  await ground.earned(driverId, -400, 'EUR');
  await ground.batch('2026-W18');
  await ground.untilPayout(week(driverId, '2026-W18'), ended);
  await ground.untilPayout(week(driverId, '2026-W18', 'JPY'), ended);
  expect(provider.sentTo(driverId).sort()).toEqual([5_000, 900]);
  expect(await ground.owed(driverId, 'EUR')).toBe(-400);
});

test('without an account nothing is paid', async () => {
  const driverId = 'driver-without-account';
  await ground.earned(driverId, 5_000);
  expect(await (await ground.pay(week(driverId))).result()).toBe('nothing');
  expect(await ground.owed(driverId)).toBe(5_000);
});

test('a payout that the provider refuses is the driver’s again, and goes with the next', async () => {
  const driverId = await ground.driver(5_000);
  provider.next(() => Promise.resolve({ transferred: false, reason: 'No such destination' }));
  expect(await (await ground.pay(week(driverId))).result()).toBe('failed');
  expect(await ground.payout(week(driverId))).toMatchObject({ reason: 'No such destination' });
  expect(await ground.owed(driverId)).toBe(5_000);
  expect(await (await ground.pay(week(driverId, '2026-W10'))).result()).toBe('paid');
  expect(await ground.owed(driverId)).toBe(0);
});

test('what comes back is the driver’s again, part by part, whenever it comes', async () => {
  const driverId = await ground.driver(5_000);
  const due = week(driverId);
  await (await ground.pay(due)).result();
  expect(await (await ground.payoutNews(due)).result()).toBe('paid');
  provider.sendBack(driverId, 1_000);
  expect(await (await ground.payoutNews(due)).result()).toBe('returned');
  expect(await ground.owed(driverId)).toBe(1_000);
  provider.sendBack(driverId, 4_000);
  await (await ground.payoutNews(due)).result();
  expect(await (await ground.payoutNews(due)).result()).toBe('returned');
  expect(await ground.owed(driverId)).toBe(5_000);
  expect(await ground.payout(due)).toMatchObject({ status: 'returned', returnedMinor: 5_000 });
  const payoutId = payoutIdOf(due);
  expect(await ground.factTypes(payoutId)).toEqual([
    ...['payout.started', 'payout.paid', 'payout.returned', 'payout.returned'],
  ]);
  const [row, fold] = await ground.rowAndFold(payoutId, 'payout');
  expect(row).toEqual(fold);
});

test('news of a payout that was never begun changes nothing', async () => {
  const due = week('driver-unknown');
  expect(await (await ground.payoutNews(due)).result()).toBe('nothing');
  expect(await ground.payout(due)).toBeNull();
});

test('a provider that is down: the payout waits, an operator sees it, and it goes on by itself', async () => {
  const driverId = await ground.driver(5_000);
  provider.down(40);
  const handle = await ground.pay(week(driverId));
  await ground.untilPayout(week(driverId), ({ status }) => status === 'started');
  expect(await ground.owed(driverId)).toBe(0);
  await env.sleep('3 minutes');
  expect(await cardOf(handle)).toContain('waits for: the payment provider: Send USD 50.00 to the driver');
  expect(await isStuck(handle)).toBe(true);
  await handle.cancel();
  await env.sleep('10 minutes');
  expect(await handle.result()).toBe('paid');
  expect(provider.askedFor(driverId)).toBe(41);
  expect(provider.sentTo(driverId)).toEqual([5_000]);
});

test('a batch goes on as a new run after so many pages, and pays every driver once', async () => {
  const drivers: string[] = [];
  for (let i = 0; i < 7; i += 1) drivers.push(await ground.driver(1_000 + i));
  const { due, firstRun } = await ground.batch('2026-W20', { pageSize: 2, pagesPerRun: 2 });
  expect(due).toBeGreaterThanOrEqual(drivers.length);
  expect((await firstRun.describe()).status.name).toBe('CONTINUED_AS_NEW');
  for (const [i, driverId] of drivers.entries()) {
    await ground.untilPayout(week(driverId, '2026-W20'), ended);
    expect(provider.sentTo(driverId)).toEqual([1_000 + i]);
  }
});

test('a batch has a pace: however many drivers there are, so many payouts begin in a second', async () => {
  const drivers: string[] = [];
  for (let i = 0; i < 7; i += 1) drivers.push(await ground.driver(1_000));
  await ground.batch('2026-W21', { pageSize: 2, pagesPerRun: 2, payoutsPerSecond: 4 });
  const began = await Promise.all(
    drivers.map(async (driverId) => {
      const { payoutId } = await ground.untilPayout(week(driverId, '2026-W21'), ended);
      const payout = await ground.client.workflow.getHandle(payoutWorkflowId(payoutId)).describe();
      return payout.startTime.getTime();
    }),
  );
  began.sort((a, b) => a - b);
  // Pages are of two at most: the third after one begins in another page, half a second's payouts later.
  const closest = began.slice(3).map((at, i) => at - began[i]!);
  expect(Math.min(...closest)).toBeGreaterThanOrEqual(500);
});
