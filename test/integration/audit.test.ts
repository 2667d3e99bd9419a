import { v7 as uuidv7 } from 'uuid';
import { storeFacts } from '../../consumers/audit/handler';
import { readTimeline } from '../../consumers/audit/store';
import { timelineView } from '../../contracts/api/ops';
import { at, opened, requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';

let audit: TestConsumer;
beforeEach(async () => {
  audit = await startConsumer('audit', ['rides', 'payments', 'drivers', 'pricing'], storeFacts);
});
afterEach(() => audit.stop());

const stored = async (): Promise<number> =>
  (await audit.pool.query<{ count: number }>('select count(*) as count from facts')).rows[0]!.count;

const timeline = async (rideId: string) => {
  const topics = [audit.topic('rides'), audit.topic('payments')];
  return timelineView.parse(await readTimeline(audit.pool, topics, rideId));
};

function rideAndPayment(rideId: string) {
  const ride = rideFacts(rideId, [
    ['ride.requested', '12:00:00.000', requested(rideId, 'rider-1')],
    ['ride.matching_started', '12:00:02.000'],
    ['ride.no_driver_found', '12:03:00.000'],
  ]);
  const payment = rideFacts(rideId, [
    ['payment.opened', '12:00:00.500', opened(rideId, 'rider-1')],
    ['payment.authorized', '12:00:01.000', { intentId: 'pi_1', amountMinor: 1_250, currency: 'USD' }],
    ['payment.voided', '12:03:01.000', { intentId: 'pi_1' }],
  ]);
  return { ride, payment };
}

test("a ride's timeline tells the ride and its payment in the order in which it happened", async () => {
  const rideId = uuidv7();
  const { ride, payment } = rideAndPayment(rideId);
  await audit.deliver([...payment, ...ride, ...rideAndPayment(uuidv7()).ride]);
  const { facts } = await timeline(rideId);
  expect(facts.map(({ type, sequence }) => [type, sequence])).toEqual([
    ['ride.requested', 1],
    ['payment.opened', 1],
    ['payment.authorized', 2],
    ['ride.matching_started', 2],
    ['ride.no_driver_found', 3],
    ['payment.voided', 3],
  ]);
  expect(facts[2]).toEqual({
    id: `payment.authorized/${rideId}/2`,
    type: 'payment.authorized',
    time: at('12:00:01.000'),
    sequence: 2,
    topic: audit.topic('payments'),
    partition: expect.any(Number),
    offset: expect.stringMatching(/^\d+$/),
    causationId: `${rideId}/step/2`,
    data: { intentId: 'pi_1', amountMinor: 1_250, currency: 'USD' },
  });
  expect(await timeline(uuidv7())).toMatchObject({ facts: [] });
});

test('every fact is there once, whatever is delivered again, known or not', async () => {
  const rideId = uuidv7();
  const { ride, payment } = rideAndPayment(rideId);
  const driver = {
    ...{ topic: 'drivers' as const, key: 'driver-1', sequence: 1, time: at('11:00:00.000') },
    ...{ type: 'driver.grew_wings', data: { text: 'a \u0000 in it', wings: 2 } },
  };
  const facts = [...ride, ...payment, driver];
  await audit.deliver([...facts, ...facts]);
  await audit.deliver([...facts].reverse());
  expect(await stored()).toBe(facts.length);
  const { rows } = await audit.pool.query('select data, headers from facts where key = $1', ['driver-1']);
  expect(rows).toEqual([
    { data: driver.data, headers: expect.objectContaining({ ce_source: '/hailway/test' }) },
  ]);
  expect(await audit.deadLetters()).toBe(0);
});

test('a consumer that has lost its place writes nothing twice', async () => {
  const { ride } = rideAndPayment(uuidv7());
  await audit.deliver(ride);
  const before = await audit.pool.query('select * from facts order by sequence');
  await audit.pool.query('truncate inbox_sequences');
  await audit.deliver(ride);
  expect(await audit.pool.query('select * from facts order by sequence')).toMatchObject({
    rows: before.rows,
  });
  expect(await audit.deadLetters()).toBe(0);
});

test('nobody changes or deletes a fact: neither the owner of the table nor who may do everything', async () => {
  await audit.deliver(rideAndPayment(uuidv7()).ride);
  const attempts = [`update facts set type = 'x'`, 'delete from facts', 'truncate facts'];
  for (const attempt of attempts)
    await expect(audit.pool.query(attempt)).rejects.toThrow('permission denied');
  await audit.pool.query('grant all on facts to current_user');
  for (const attempt of attempts) await expect(audit.pool.query(attempt)).rejects.toThrow('append-only');
  expect(await stored()).toBe(3);
});
