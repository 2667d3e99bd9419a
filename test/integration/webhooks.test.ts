import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { rotateSecret, setHouseEndpoint } from '../../consumers/notifications/endpoints';
import { notifications as projection } from '../../consumers/notifications/projection';
import { takeDue } from '../../consumers/notifications/queue';
import { eventually, stopAll } from '../support/backbone';
import { opened, requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';
import { delivering, Receivers, type Owner } from '../support/webhooks';

let notifications: TestConsumer;
const receivers = new Receivers();
beforeEach(async () => {
  notifications = await startConsumer(projection);
});
afterEach(async () => {
  // First, so that no post hangs any longer.
  await receivers.closeAll();
  await stopAll();
  await notifications.stop();
});

const rider = (n: number) => ({ role: 'rider', id: `rider-${n}` }) as const;

/** A receiver that this owner has registered. */
const registered = (owner: Owner = rider(1)) => receivers.registered(notifications.pool, owner);

/** A ride of this rider, as far as a driver. */
function ride(n: number, rideId = uuidv7()) {
  return rideFacts(rideId, [
    ['ride.requested', '12:00:00.000', requested(rideId, `rider-${n}`)],
    ['ride.matching_started', '12:00:01.000'],
    ['ride.driver_assigned', '12:00:10.000', { driverId: 'driver-1', offerId: uuidv7() }],
  ]);
}

describe('an endpoint', () => {
  test("is posted every fact of its rider's rides, signed, and nothing of others'", async () => {
    const [mine, yours] = [await registered(rider(1)), await registered(rider(2))];
    const all = await registered({ role: 'operator', id: 'op-1' });
    delivering(notifications.pool);
    const facts = [ride(1), ride(2)];
    await notifications.deliver(facts.flat());
    await notifications.deliver(facts.flat());
    await eventually(
      () => all.receiver.received.length,
      (n) => n === 6,
    );
    await eventually(
      () => [mine, yours].map(({ receiver: { received } }) => received.length).join(),
      (n) => n === '3,3',
    );
    for (const [{ receiver: one }, [first, , third]] of [
      [mine, facts[0]!],
      [yours, facts[1]!],
    ] as const) {
      expect(one.received.every(({ rideId }) => rideId === first!.key)).toBe(true);
      const inOrder = [...one.received].sort((a, b) => a.version - b.version);
      expect(inOrder.map(({ version, type }) => `${version} ${type}`)).toEqual([
        ...['1 ride.requested', '2 ride.matching_started', '3 ride.driver_assigned'],
      ]);
      expect(inOrder[0]!.data).toMatchObject({ quoteId: expect.any(String), paymentMethod: 'card' });
      expect(JSON.stringify(inOrder)).not.toContain('pm_card_visa');
      expect(inOrder[2]).toMatchObject({ factId: `ride.driver_assigned/${third!.key}/3`, at: third!.time });
      expect(one.refused).toEqual([]);
    }
    expect(new Set(all.receiver.ids).size).toBe(6);
  });

  test('is told of the payment what its rider has to know meanwhile, without the means and nothing else', async () => {
    const [mine, yours] = [await registered(rider(1)), await registered(rider(2))];
    delivering(notifications.pool);
    const rideId = uuidv7();
    const deadlineAt = '2026-01-05T12:10:00.000Z';
    const method = { type: 'card', token: 'pm_card_mastercard' };
    await notifications.deliver(
      rideFacts(rideId, [
        ['payment.opened', '12:00:00.000', opened(rideId, 'rider-1')],
        ['payment.action_required', '12:00:01.000', { intentId: 'pi_1', deadlineAt }],
        ['payment.method_changed', '12:10:01.000', { method, reason: 'no_answer' }],
        ['payment.authorized', '12:10:02.000', { intentId: 'pi_2', amountMinor: 1_250, currency: 'USD' }],
      ]),
    );
    await notifications.deliver(ride(2).slice(0, 1));
    await eventually(
      () => [mine, yours].map(({ receiver: { received } }) => received.length).join(),
      (n) => n === '2,1',
    );
    const [asked, changed] = [...mine.receiver.received].sort((a, b) => a.version - b.version);
    expect(asked).toMatchObject({
      type: 'payment.action_required',
      rideId,
      version: 2,
      data: { deadlineAt },
    });
    expect(changed).toMatchObject({
      type: 'payment.method_changed',
      data: { method: 'card', reason: 'no_answer' },
    });
    expect(yours.receiver.received.map(({ type }) => type)).toEqual(['ride.requested']);
  });

  test('is tried again after an error, a silence and a refused connection, and the attempts are listed', async () => {
    const { receiver: one, listed } = await registered();
    delivering(notifications.pool, { timeoutMs: 250 });
    one.answer = 500;
    await notifications.deliver(ride(1).slice(0, 1));
    const attempts = async () => (await listed())[0]!.attempts;
    const outcome = async (error: RegExp) => {
      const from = (await attempts()).length;
      await eventually(attempts, (seen) =>
        seen.slice(from).some((attempt) => error.test(attempt.error ?? '')),
      );
    };
    await outcome(/^answered 500$/);
    one.answer = null;
    await outcome(/^no answer within 250 ms$/);
    await one.close();
    await outcome(/ECONNREFUSED/);
    // A signed body goes nowhere else.
    one.answer = 307;
    await one.open();
    await outcome(/^answered 307$/);
    one.answer = 200;
    const [delivery] = await eventually(listed, ([first]) => first!.state === 'delivered');
    expect(new Set(one.ids)).toEqual(new Set([delivery!.deliveryId]));
    expect(delivery!.attempts.map(({ attempt }) => attempt)).toEqual(delivery!.attempts.map((_, i) => i + 1));
    expect(delivery!.attempts.at(-1)).toMatchObject({ status: 200, error: null });
    expect(delivery!.nextAttemptAt).toBeNull();
    for (const { at, status, error } of delivery!.attempts.slice(0, -1)) {
      expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(error).toMatch(status === null ? /no answer|ECONN|socket hang up/ : /^answered (500|307)$/);
    }
  });

  test('is given up where the schedule ends, and that is listed', async () => {
    const { receiver: one, listed } = await registered();
    one.answer = 503;
    delivering(notifications.pool, { pause: ({ attempt }) => (attempt < 3 ? 20 : null) });
    await notifications.deliver(ride(1).slice(0, 1));
    const [delivery] = await eventually(listed, ([first]) => first!.state !== 'pending');
    expect(delivery).toMatchObject({ state: 'given_up', nextAttemptAt: null });
    expect(delivery!.attempts.map(({ status, error }) => `${status} ${error}`)).toEqual(
      Array(3).fill('503 answered 503'),
    );
  });

  test('that hangs holds up nobody else', async () => {
    const [hanging, well] = [await registered(rider(1)), await registered(rider(2))];
    hanging.receiver.answer = null;
    // The hanging one is never through within this test, however many of its deliveries there are.
    delivering(notifications.pool, { timeoutMs: 600_000, atOnce: 16 });
    await notifications.deliver([ride(1), ride(1), ride(1), ride(1), ride(1), ride(1), ride(1)].flat());
    // As many as were there when its lane was free.
    await eventually(
      () => hanging.receiver.received.length,
      (n) => n > 0,
    );
    await notifications.deliver([ride(2), ride(2), ride(2), ride(2)].flat());
    await eventually(
      () => well.receiver.received.length,
      (n) => n === 12,
    );
    expect(hanging.receiver.received.length).toBeLessThanOrEqual(8);
  });

  test('with a new secret is signed with both', async () => {
    const { receiver: one, webhookId } = await registered();
    const old = one.secret;
    delivering(notifications.pool);
    const { secret } = await rotateSecret(notifications.pool, rider(1), webhookId);
    expect(secret).not.toBe(old);
    await notifications.deliver(ride(1));
    await eventually(
      () => one.received.length,
      (n) => n === 3,
    );
    one.secret = secret;
    await notifications.deliver(ride(1));
    await eventually(
      () => one.received.length,
      (n) => n === 6,
    );
    expect(one.refused).toEqual([]);
  });

  test('that refuses a wrong signature gets nothing', async () => {
    const { receiver: one, listed } = await registered();
    one.secret = 'another';
    delivering(notifications.pool, { pause: () => null });
    await notifications.deliver(ride(1));
    await eventually(listed, (all) => all.length === 3 && all.every(({ state }) => state === 'given_up'));
    expect([one.ids, new Set(one.refused)]).toEqual([[], new Set(['wrong signature'])]);
  });
});

test('a sender killed between an answer and its record sends the same again', async () => {
  const { receiver: one, listed } = await registered();
  await notifications.deliver(ride(1).slice(0, 1));
  const child = fork(join(__dirname, '../support/mortalDelivery.ts'), {
    execArgv: ['-r', join(__dirname, '../support/typescript.cjs')],
    env: { ...process.env, NOTIFICATIONS_DATABASE_URL: notifications.databaseUrl },
  });
  expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
  expect(one.ids).toHaveLength(1);
  expect((await listed())[0]).toMatchObject({ state: 'pending', attempts: [] });
  delivering(notifications.pool);
  const [delivery] = await eventually(listed, ([first]) => first!.state === 'delivered');
  expect(one.ids).toEqual([delivery!.deliveryId, delivery!.deliveryId]);
  expect(delivery!.attempts).toMatchObject([{ attempt: 2, status: 204 }]);
});

test('what was taken by a sender that died is not taken by another before its lease is over', async () => {
  await registered();
  await notifications.deliver(ride(1));
  const take = (leaseMs: number) =>
    takeDue(notifications.pool, { limit: 10, perEndpoint: 8, perOwner: 8, busy: new Map(), leaseMs });
  expect(await take(600_000)).toHaveLength(3);
  expect(await take(600_000)).toHaveLength(0);
});

describe("the house's own receiver", () => {
  test('gets notifications, from when it is configured until it is not', async () => {
    const one = await receivers.open();
    delivering(notifications.pool);
    await notifications.deliver(ride(1));
    await setHouseEndpoint(notifications.pool, { url: one.url, secret: one.secret });
    await notifications.deliver(ride(2));
    await eventually(
      () => one.received.length,
      (n) => n === 2,
    );
    const { rows } = await notifications.pool.query<{ id: string }>(
      `select id from notifications where recipient_id = 'rider-2' order by id`,
    );
    expect([...one.ids].sort()).toEqual(rows.map(({ id }) => id));
    expect(one.received[0]).toMatchObject({ recipient: { role: 'rider', id: 'rider-2' }, channel: 'push' });

    await setHouseEndpoint(notifications.pool, null);
    await notifications.deliver(ride(3));
    const { rows: waiting } = await notifications.pool.query(
      `select 1 from deliveries where state = 'pending'`,
    );
    expect(waiting).toEqual([]);
    expect(one.refused).toEqual([]);
  });
});
