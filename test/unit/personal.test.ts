import { splitPersonal, sealedFact, withoutPersonal, withoutSubject } from '../../contracts/personal';
import { ERASED, NOWHERE } from '../../contracts/personalMarks';
import { knownFact } from '../../contracts/knownFact';
import { decrypt, encrypt, newKey } from '../../platform/personal/crypt';
import { masterKeys } from '../../platform/personal/keyStore';
import { keysInMemory, vaultInMemory } from '../../tools/vaultInMemory';
import { rideRequest } from '../support/rides';

const stop = { lat: 40.75, lng: -73.98 };
const data = rideRequest({
  stops: [stop],
  paymentMethod: { type: 'cash' },
  fallbackPaymentMethods: [{ type: 'cash' }, { type: 'card', token: 'pm_second' }],
});
const id = `ride.requested/${data.rideId}/1`;
const fact = { id, type: 'ride.requested', data };
/** Two people in one fact: the driver gives the ride back, and what they said is theirs. */
const unassigned = { driverId: 'driver-1', reason: 'my brother is ill' };

describe('what is personal in a fact', () => {
  test('is taken out of wherever it is, by whose it is', () => {
    const { rest, personal } = splitPersonal('ride.requested', data);
    expect(personal).toEqual([
      {
        subject: 'rider-1',
        values: {
          pickup: data.pickup,
          dropoff: data.dropoff,
          stops: [stop],
          'fallbackPaymentMethods.1.token': 'pm_second',
        },
      },
    ]);
    expect(rest).toMatchObject({ pickup: NOWHERE, dropoff: NOWHERE, stops: [], riderId: 'rider-1' });
    // Whoever has no key reads a fact that its schema has.
    expect(knownFact({ type: 'ride.requested', data: rest })?.data).toMatchObject({ pickup: NOWHERE });
  });

  test('is of whom the data names, or the recorder', () => {
    expect(splitPersonal('ride.driver_unassigned', unassigned).personal).toEqual([
      { subject: 'driver-1', values: { reason: 'my brother is ill' } },
    ]);
    const cancelled = { by: 'rider', reason: 'late', driverId: null, feeMinor: 0, currency: 'USD' };
    expect(() => splitPersonal('ride.cancelled', cancelled)).toThrow(
      'reason of ride.cancelled is of no riderId',
    );
    expect(splitPersonal('ride.cancelled', cancelled, { riderId: 'rider-1' }).personal).toHaveLength(1);
  });

  test('is blotted out for one person, and another one keeps theirs', () => {
    const of = (subject: string) =>
      withoutSubject('ride.driver_unassigned', unassigned, subject, { riderId: 'rider-1' });
    expect(of('driver-1')).toEqual({ driverId: 'driver-1', reason: ERASED });
    expect(of('rider-1')).toEqual(unassigned);
  });

  test('a sealed copy, a plain one and a blotted one have all else in common', async () => {
    const vault = vaultInMemory();
    const { sent } = await vault.withKeys(() => sealedFact(vault.seal, fact));
    const common = withoutPersonal('ride.requested', data);
    expect(withoutPersonal('ride.requested', sent)).toEqual(common);
    expect(withoutPersonal('ride.requested', common)).toEqual(common);
    expect(withoutPersonal('ride.requested', { ...data, product: 'xl' })).not.toEqual(common);
  });
});

describe('a vault', () => {
  test('bytes are sealed for many at once, and opened by what they belong to, until their subject is erased', async () => {
    const vault = vaultInMemory();
    const items = Array.from({ length: 9 }, (_, n) => ({
      ...{ id: `thing-${n}`, subject: `rider-${n}`, bytes: Uint8Array.of(n, 0, 255) },
    }));
    await vault.erase('rider-8');
    const seals = await vault.withKeys(() => vault.sealBytes(items));
    expect(seals[8]).toBeNull();
    const open = (n: number, id = `thing-${n}`) => vault.openBytes(id, `rider-${n}`, seals[n]!);
    expect([...(await open(3))!]).toEqual([3, 0, 255]);
    await expect(open(3, 'thing-4')).rejects.toThrow();
    await vault.erase('rider-3');
    expect(await open(3)).toBeNull();
    expect(await vault.openBytes('thing-0', 'nobody', seals[0]!)).toBeNull();
  });

  test('opens what it has sealed, until its subject is erased, and refuses it elsewhere', async () => {
    const vault = vaultInMemory();
    const { sent } = await vault.withKeys(() => sealedFact(vault.seal, fact));
    expect(JSON.stringify(sent)).not.toContain('pm_second');
    expect(await vault.open(id, sent)).toEqual(data);
    await expect(vault.open(`ride.requested/${data.rideId}/2`, sent)).rejects.toThrow();

    await vault.erase('rider-1');
    const { rest } = splitPersonal('ride.requested', data);
    expect(await vault.open(id, sent)).toEqual(rest);
    // What is recorded of them later says nothing personal in the first place.
    expect(await vault.withKeys(() => sealedFact(vault.seal, fact))).toEqual({ sent: rest });
  });

  test('keeps two people in one thing apart', async () => {
    const vault = vaultInMemory();
    const both = [
      { subject: 'rider-1', values: { pickup: stop } },
      { subject: 'driver-1', values: { name: 'Ada' } },
    ];
    const sealed = await vault.withKeys(() => vault.seal('x', both));
    const opened = () => vault.open('x', { pickup: NOWHERE, name: ERASED, sealed });
    expect(await opened()).toEqual({ pickup: stop, name: 'Ada' });
    await vault.erase('rider-1');
    expect(await opened()).toEqual({ pickup: NOWHERE, name: 'Ada' });
  });

  test('puts nothing back where something else stands by now', async () => {
    const vault = vaultInMemory();
    const card = [{ subject: 'rider-1', values: { 'paymentMethod.token': 'pm_1', pickup: stop } }];
    const sealed = await vault.withKeys(() => vault.seal('x', card));
    expect(await vault.open('x', { paymentMethod: 'card', sealed })).toEqual({ paymentMethod: 'card' });
  });

  test('asks once for a key while it lives, and no longer: an erasure elsewhere is known then', async () => {
    const keys = keysInMemory();
    const asked = jest.spyOn(keys, 'findOrMake');
    const found = jest.spyOn(keys, 'find');
    let now = 0;
    const vault = vaultInMemory({ keys, lifeMs: 1_000, now: () => now });
    const seal = () => vault.withKeys(() => sealedFact(vault.seal, fact));
    const { sent } = await seal();
    await seal();
    expect(await vault.open(id, sent)).toEqual(data);
    expect([asked.mock.calls.length, found.mock.calls.length]).toEqual([1, 0]);

    await vaultInMemory({ keys }).erase('rider-1');
    expect(await vault.open(id, sent)).toEqual(data);
    now = 1_000;
    expect(await vault.open(id, sent)).not.toEqual(data);
    expect(await vault.isErased('rider-1')).toBe(true);
  });

  test('has a bound: who was not needed for long is asked for again', async () => {
    const keys = keysInMemory();
    const asked = jest.spyOn(keys, 'findOrMake');
    const vault = vaultInMemory({ keys, most: 2 });
    const seal = (subject: string) =>
      vault.withKeys(() => vault.seal('x', [{ subject, values: { name: 'Ada' } }]));
    for (const subject of ['a', 'b', 'c', 'c', 'b', 'a']) await seal(subject);
    expect(asked.mock.calls.map(([subjects]) => subjects.join())).toEqual(['a', 'b', 'c', 'a']);
  });

  test('without its keys goes on with those at hand, and says of others that they may come', async () => {
    const keys = keysInMemory();
    const vault = vaultInMemory({ keys });
    const seal = (subject: string) =>
      vault.withKeys(() => vault.seal('x', [{ subject, values: { name: 'Ada' } }]));
    const [sealed] = await seal('known');
    const away = () => Promise.reject(new Error('no connection'));
    Object.assign(keys, { find: away, findOrMake: away, erase: away });
    await expect(seal('known')).resolves.toHaveLength(1);
    expect(await vault.open('x', { name: ERASED, sealed: [sealed] })).toEqual({ name: 'Ada' });
    await expect(seal('unknown')).rejects.toMatchObject({ code: 'dependency_unavailable' });
    await expect(vault.erase('known')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  });
});

test('what is encrypted is of its key, its place and its bits alone', () => {
  const key = newKey();
  const sealed = encrypt(key, Buffer.from('Ada'), 'here');
  expect(decrypt(key, sealed, 'here').toString()).toBe('Ada');
  expect(() => decrypt(newKey(), sealed, 'here')).toThrow();
  expect(() => decrypt(key, sealed, 'there')).toThrow();
  sealed[14] = sealed[14]! ^ 1;
  expect(() => decrypt(key, sealed, 'here')).toThrow();
  expect(() => decrypt(key, sealed.subarray(0, 20), 'here')).toThrow('too short');
});

test('of the master keys the first one wraps, and each unwraps', () => {
  const masters = masterKeys(`b:${'y'.repeat(32)},a:${'x'.repeat(32)}`);
  expect(masters.current).toBe('b');
  expect(masters.of('a')).toEqual(masterKeys(`a:${'x'.repeat(32)}`).of('a'));
  expect(() => masters.of('c')).toThrow('PERSONAL_KEYS has no key c');
  expect(() => masterKeys('')).toThrow('PERSONAL_KEYS takes name:secret');
});
