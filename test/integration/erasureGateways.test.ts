import { v7 as uuidv7 } from 'uuid';
import { sealedFact } from '../../contracts/personal';
import { NOWHERE } from '../../contracts/personalMarks';
import { createKeyStore, masterKeys } from '../../platform/personal';
import { erasureRoutes, type ErasureOptions } from '../../services/gateway/erasureRoutes';
import { blotPayments, paymentsInTheWay } from '../../services/payments/erasure';
import { blotQuotes } from '../../services/pricing/erasure';
import { claimRequest } from '../../services/rides/claims';
import { blotRides, ridesInTheWay, ridesOf } from '../../services/rides/erasure';
import {
  anotherVault,
  ground,
  place,
  pools,
  record,
  useErasureGround,
  whereIs,
  words,
} from '../support/erasureGround';
import { rideRequest } from '../support/rides';

/** Erasures as gateways do them, while others work: what is let in meanwhile, and for how long. */

jest.setTimeout(120_000);

useErasureGround();

test('a key is wrapped, by the newest master key, and kept once for whoever asks at once', async () => {
  const older = masterKeys(`old:${'o'.repeat(40)}`);
  const both = masterKeys(`new:${'n'.repeat(40)},old:${'o'.repeat(40)}`);
  const [first, second] = await Promise.all(
    [older, older].map((masters) => createKeyStore(pools.keys, masters).findOrMake(['x', 'y'])),
  );
  expect(first).toEqual(second);
  const rotated = createKeyStore(pools.keys, both);
  expect(await rotated.findOrMake(['x', 'z'])).toMatchObject({ size: 2 });
  expect((await rotated.find(['x', 'nobody'])).get('x')).toEqual(first?.get('x'));
  await expect(createKeyStore(pools.keys, older).find(['z'])).rejects.toThrow('no key new');
  const { rows } = await pools.keys.query<{ wrapped: Buffer }>(
    `select wrapped from subject_keys where subject = 'x'`,
  );
  expect(rows[0]?.wrapped.includes(first!.get('x')!)).toBe(false);
});

/** What the gateway does when it is asked to erase somebody. */
function eraser(asked: ErasureOptions['vault']): (subjectId: string) => Promise<unknown> {
  let handler!: (request: object) => Promise<unknown>;
  const pricing = {
    call: (_: string, path: string) => blotQuotes(pools.pricing, path.split('/')[3]!),
  } as unknown as ErasureOptions['pricing'];
  erasureRoutes(((_: unknown, handle: typeof handler) => (handler = handle)) as never, {
    ...{ vault: asked, pricing },
    rides: {
      of: (subject) => ridesOf(pools.rides, subject),
      inTheWay: (subject, rides) => ridesInTheWay(pools.rides, subject, rides),
      blot: (subject, rides, since) => blotRides(pools.rides, { subject, rides, at: since, topicPrefix: '' }),
    },
    payments: {
      inTheWay: (subject, rideIds) => paymentsInTheWay(pools.payments, subject, rideIds),
      blot: (subject, rideIds) => blotPayments(pools.payments, subject, rideIds),
    },
  });
  return (subjectId) => handler({ params: { subjectId }, body: { dryRun: false } });
}

test('a request that was let in before an erasure holds it up, and its ride is blotted with the rest', async () => {
  const lateRider = 'rider-late';
  const late = { rideId: uuidv7(), quoteId: uuidv7() };
  const claim = { caller: lateRider, key: 'key', bodyHash: 'hash', ...late };
  const now = new Date();
  await claimRequest(pools.rides, { ...claim, now: now.toISOString() });
  await expect(eraser(ground.vault)(lateRider)).rejects.toMatchObject({
    ...{ code: 'erasure_not_possible', details: { blockers: [{ kind: 'ride', id: late.rideId }] } },
  });
  // One that never became a ride is forgotten.
  await pools.rides.query(`update claims set created_at = now() - interval '2 days' where caller = $1`, [
    lateRider,
  ]);
  const pickup = place('40.7899999');
  const begin = () =>
    record(
      {
        ...{ type: 'request', at: now.toISOString() },
        request: rideRequest({ ...late, riderId: lateRider, pickup, dropoff: place(words.dropoff) }),
      },
      late.rideId,
    );
  const meanwhile = { erase: (subject: string) => begin().then(() => ground.vault.erase(subject)) };
  await expect(eraser(meanwhile)(lateRider)).rejects.toMatchObject({
    details: { blockers: [{ kind: 'ride', id: late.rideId }] },
  });
  expect(await whereIs(['40.7899999'])).toContain('database rides: public.rides');
  await record({ type: 'cancelByRider', at: now.toISOString(), reason: 'late' }, late.rideId);
  const { length } = (await ridesOf(pools.rides, lateRider)).all;
  expect(await eraser(ground.vault)(lateRider)).toMatchObject({
    status: 200,
    body: { rides: length, blockers: [] },
  });
  expect(await whereIs(['40.7899999'])).toEqual([]);
});

test('another gateway that has the key at hand lets the person in for ten minutes at most', async () => {
  const known = 'rider-known';
  let nowMs = Date.now();
  const other = anotherVault({ now: () => nowMs });
  const { paymentMethod, ...data } = rideRequest({ ...{ riderId: known, pickup: place('40.7811111') } });
  const fact = {
    id: `ride.requested/${data.rideId}/1`,
    type: 'ride.requested',
    data: { ...data, paymentMethod },
  };
  const sealing = () => other.withKeys(() => sealedFact(other.seal, fact));
  const { sent } = await sealing();
  expect(sent).toMatchObject({ pickup: NOWHERE, sealed: [{ sub: known }] });

  expect(await eraser(ground.vault)(known)).toMatchObject({ status: 200 });
  expect(await ground.vault.isErased(known)).toBe(true);
  nowMs += 10 * 60_000 - 1;
  expect(await other.isErased(known)).toBe(false);
  expect(await other.open(fact.id, sent)).toMatchObject({ pickup: data.pickup });
  expect(await sealing()).toMatchObject({ sent: { sealed: [{ sub: known }] } });
  nowMs += 1;
  expect(await other.isErased(known)).toBe(true);
  expect(await other.open(fact.id, sent)).toMatchObject({ pickup: NOWHERE });
  expect((await sealing()).sent).not.toHaveProperty('sealed');
});
