import { latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { storedRecords } from '../../consumers/audit/replaySource';
import { sealedFact } from '../../contracts/personal';
import { NOWHERE } from '../../contracts/personalMarks';
import { erasureId } from '../../domain/names';
import { factId } from '../../platform/outbox';
import { vaultInMemory } from '../../tools/vaultInMemory';
import { readAll, stopAll } from '../support/backbone';
import { at, type TestFact } from '../support/consumers';
import {
  cityFacts,
  comeToTheSame,
  hashOf,
  rideStory,
  startReplayGround,
  type LiveConsumer,
  type ReplayGround,
} from '../support/replayGround';

/** Replays of facts that were sealed with the key of a person who has been erased since. */

jest.setTimeout(120_000);

const names = ['analytics', 'notifications'] as const;
const vault = vaultInMemory();
/** Whose ride this is, and who takes it (`rideStory`). */
const [riderId, rideId] = ['rider-3', uuidv7()];
let ground: ReplayGround;
let live: Record<(typeof names)[number] | 'audit', LiveConsumer>;
let control: LiveConsumer;

/** A fact as it leaves its owner: sealed, and with the cells by which it is counted. */
async function leaving(fact: TestFact): Promise<TestFact> {
  const { type, key, sequence } = fact;
  const data = fact.data as ReturnType<typeof asked>;
  const id = factId(type, key, sequence);
  const written = type === 'ride.requested' ? asked(data) : data;
  const { sent } = await vault.withKeys(() => sealedFact(vault.seal, { id, type, data: written }));
  return { ...fact, schemaVersion: type === 'ride.requested' ? 2 : (fact.schemaVersion ?? 1), data: sent };
}

const asked = (data: { pickup: { lat: number; lng: number }; dropoff: { lat: number; lng: number } }) => ({
  ...data,
  pickupCell: latLngToCell(data.pickup.lat, data.pickup.lng, 8),
  dropoffCell: latLngToCell(data.dropoff.lat, data.dropoff.lng, 8),
});

const erased: TestFact = {
  ...{ topic: 'rides', key: erasureId(riderId), sequence: 1, type: 'subject.erased' },
  ...{ time: at('16:00:00.000'), data: { subjectId: riderId } },
};

/** What is known of the pickup, from Kafka and from the audit store, by who may have the rider's key. */
async function knownPickups(): Promise<unknown[]> {
  const id = factId('ride.requested', rideId, 1);
  const onLog = (await readAll(ground.kafka, ground.topic('rides'))).find(
    ({ headers }) => String(headers['ce_id']) === id,
  )!;
  const { topic, partition, offset } = onLog;
  const [stored] = await storedRecords(
    live.audit.pool,
    { topic, partition },
    { from: offset, below: offset + 1, limit: 1 },
  );
  const opened = [onLog, stored!].map(({ value }) =>
    vault.open(id, JSON.parse(String(value)) as { pickup: unknown }),
  );
  return (await Promise.all(opened)).map(({ pickup }) => pickup);
}

/** What is wrong in a projection before it is made anew. */
const spoilt = {
  analytics: 'update demand set requested = requested + 1; delete from ride_cells',
  notifications: `delete from notifications where template = 'receipt'; delete from ride_riders`,
};

beforeAll(async () => {
  ground = await startReplayGround();
  live = {
    audit: await ground.start('audit'),
    analytics: await ground.start('analytics'),
    notifications: await ground.start('notifications'),
  };
  control = await ground.start('notifications', 'notifications-control');
  const facts = [...cityFacts(12), ...rideStory(3, rideId)];
  await ground.send(await Promise.all(facts.map(leaving)));
  await ground.settled();
});
afterAll(async () => {
  await ground?.stop();
  await stopAll();
});

test('once a person is erased, replays come to what was there before, from Kafka and from the audit store', async () => {
  const { pickup } = rideStory(3, rideId)[0]!.data as { pickup: object };
  expect(await knownPickups()).toEqual([pickup, pickup]);
  const before = { analytics: await hashOf(live.analytics), notifications: await hashOf(live.notifications) };

  await vault.erase(riderId);
  await ground.send([erased]);
  await ground.settled();
  expect(await knownPickups()).toEqual([NOWHERE, NOWHERE]);

  const madeAnew = async () => {
    for (const name of names) {
      expect(await hashOf(live[name])).toBe(before[name]);
      expect(await ground.replay('--consumer', name, '--check')).toMatchObject({
        ...{ code: 0, printed: expect.stringMatching(/the same\n$/) },
      });
      await live[name].pool.query(spoilt[name]);
      expect(await ground.replay('--consumer', name)).toMatchObject({ code: 0 });
      expect(await hashOf(live[name])).toBe(before[name]);
    }
  };
  await madeAnew();
  await ground.forget('rides', 1);
  await ground.forget('payments', 1);
  await madeAnew();
  expect(await ground.replay('--consumer', 'notifications', '--keys', rideId)).toMatchObject({ code: 0 });
  expect(await hashOf(live.notifications)).toBe(before.notifications);

  // What was switched to goes on, also with a ride of somebody who has no key any more.
  await ground.send(await Promise.all(rideStory(14).map(leaving)));
  await comeToTheSame(ground, live.notifications, control);
  expect(await hashOf(live.notifications)).not.toBe(before.notifications);
});
