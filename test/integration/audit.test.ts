import { v7 as uuidv7 } from 'uuid';
import { audit as projection } from '../../consumers/audit/projection';
import { readTimeline } from '../../consumers/audit/timeline';
import { verifyChains } from '../../consumers/audit/verify';
import { timelineView } from '../../contracts/api/ops';
import { at, opened, requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';

let audit: TestConsumer;
beforeEach(async () => {
  audit = await startConsumer(projection);
});
afterEach(() => audit.stop());

const stored = async (): Promise<number> =>
  (await audit.pool.query<{ count: number }>('select count(*) as count from facts')).rows[0]!.count;

const timeline = async (rideId: string) => timelineView.parse(await readTimeline(audit.pool, rideId));

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
    key: rideId,
    sequence: 2,
    topic: audit.topic('payments'),
    partition: expect.any(Number),
    offset: expect.stringMatching(/^\d+$/),
    causationId: `${rideId}/step/2`,
    data: { intentId: 'pi_1', amountMinor: 1_250, currency: 'USD' },
  });
  expect(await timeline(uuidv7())).toMatchObject({ facts: [], causes: [] });
});

test('above its facts are the commands with who gave them, and facts that caused others; a dispute belongs to its ride', async () => {
  const rideId = uuidv7();
  const [first, second] = rideAndPayment(rideId).ride;
  const dispute = {
    ...{ topic: 'payments' as const, key: 'dp_1', sequence: 1, time: at('15:00:00.000') },
    ...{ type: 'dispute.opened', data: {}, correlationId: rideId, causationId: `ride.requested/${rideId}/1` },
  };
  await audit.deliver([
    { ...first!, causationId: `${rideId}/request/0`, caller: 'rider:rider-1' },
    { ...second!, causationId: `${rideId}/startMatching/1` },
    dispute,
  ]);
  const { causes, facts } = await timeline(rideId);
  expect(facts.map(({ type, key }) => [type, key])).toEqual([
    ['ride.requested', rideId],
    ['ride.matching_started', rideId],
    ['dispute.opened', 'dp_1'],
  ]);
  const none = { command: null, aggregateId: null, caller: null, fact: null };
  expect(causes).toEqual([
    {
      ...{ ...none, id: `${rideId}/request/0`, command: 'request', aggregateId: rideId },
      ...{ caller: { role: 'rider', subject: 'rider-1' }, at: first!.time },
      facts: [`ride.requested/${rideId}/1`],
    },
    {
      ...{ ...none, id: `${rideId}/startMatching/1`, command: 'startMatching', aggregateId: rideId },
      ...{ at: second!.time, facts: [`ride.matching_started/${rideId}/2`] },
    },
    {
      ...{ ...none, id: dispute.causationId, fact: `ride.requested/${rideId}/1`, at: dispute.time },
      facts: ['dispute.opened/dp_1/1'],
    },
  ]);
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

test('a consumer that has lost its place writes nothing twice, and goes on with the chains', async () => {
  const { ride, payment } = rideAndPayment(uuidv7());
  await audit.deliver(ride);
  const before = await audit.pool.query('select * from facts order by sequence');
  await audit.pool.query('truncate inbox_sequences');
  await audit.deliver([...ride, ...payment]);
  const after = await audit.pool.query(`select * from facts where type like 'ride.%' order by sequence`);
  expect(after).toMatchObject({ rows: before.rows });
  expect(await audit.deadLetters()).toBe(0);
  expect(await verifyChains(audit.pool)).toMatchObject({ facts: 6, breaks: [] });
});

describe('what was stored stays as it is', () => {
  const attempts = [
    `update facts set type = 'x'`,
    `update facts_other set type = 'x'`,
    'delete from facts',
    'delete from facts_other',
    'truncate facts',
    'truncate facts_other',
  ];
  test('nobody changes or deletes a fact: neither the owner of the table nor who may do everything', async () => {
    await audit.deliver(rideAndPayment(uuidv7()).ride);
    for (const attempt of attempts)
      await expect(audit.pool.query(attempt)).rejects.toThrow('permission denied');
    await audit.pool.query('grant all on facts, facts_other to current_user');
    for (const attempt of attempts) await expect(audit.pool.query(attempt)).rejects.toThrow('append-only');
    expect(await stored()).toBe(3);
  });

  test('a chain goes on where it ends, and nowhere else', async () => {
    await audit.deliver(rideAndPayment(uuidv7()).ride);
    for (const place of ['place', 'place + 7'])
      await expect(
        audit.pool.query(
          `insert into facts (topic, partition, place, "offset", key, sequence, fact_id, type, time, sent_at,
             recorded_at, correlation_id, causation_id, headers, data, hash)
           select topic, partition, ${place}, "offset", 'another', sequence, fact_id, type, time, sent_at,
             recorded_at, correlation_id, causation_id, headers, data, hash from facts limit 1`,
        ),
      ).rejects.toThrow('the chain of facts has gone on meanwhile');
  });

  test.each<[string, string, object]>([
    ['a changed fact', `update facts set data = '[]' where sequence = 2`, { place: 2, reason: 'changed' }],
    ['another caller', `update facts set caller = 'x:y' where sequence = 1`, { place: 1, reason: 'changed' }],
    ['a missing fact', 'delete from facts where sequence = 2', { place: 2, reason: 'missing' }],
    ['a missing end', 'delete from facts where sequence = 3', { place: 3, reason: 'missing' }],
    [
      'an end that was changed with its hash',
      `update facts set type = 'x', hash = 'x' where sequence = 3`,
      { place: 3, reason: 'changed' },
    ],
    [
      'a chain cut off with its end',
      `with cut as (delete from facts where sequence = 3) update fact_chains set place = 2`,
      { place: 2, reason: 'changed' },
    ],
    [
      'a fact behind the end',
      `update facts set place = 9 where sequence = 3; update fact_chains set place = 2,
         hash = (select hash from facts where sequence = 2)`,
      { place: 9, reason: 'added' },
    ],
  ])('%s is found and named', async (_, tamper, found) => {
    const { ride } = rideAndPayment(uuidv7());
    await audit.deliver(ride.slice(0, 1));
    await audit.deliver(ride.slice(1));
    expect(await verifyChains(audit.pool)).toMatchObject({ facts: 3, chains: 1, breaks: [] });
    await audit.pool.query('grant all on facts to current_user; alter table facts disable trigger user');
    await audit.pool.query(tamper);
    expect((await verifyChains(audit.pool)).breaks).toEqual([expect.objectContaining(found)]);
  });
});
