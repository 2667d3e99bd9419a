import { Takes, takesFor } from '../../contracts/positionRecord';
import type { Product } from '../../domain/fare';
import type { Queryable } from '../../platform/postgres';
import { KnownDrivers } from '../../services/gateway/ingest/knownDrivers';

/** The drivers of a database that can be away, and what it was asked. */
function played(registered: Record<string, string | null>, most?: number) {
  const asked: string[][] = [];
  const state = { nowMs: 1_000_000, away: false, offline: new Set<string>() };
  const db = {
    query: (_sql: string, [ids]: [string[]]) => {
      asked.push(ids);
      if (state.away) return Promise.reject(new Error('away'));
      const known = ids.filter((id) => Object.hasOwn(registered, id));
      return Promise.resolve({
        rows: known.map((id) => ({
          ...{ driverId: id, fleetId: registered[id], product: id.startsWith('xl') ? 'xl' : 'standard' },
          online: !state.offline.has(id),
        })),
      });
    },
  } as unknown as Queryable;
  return { drivers: new KnownDrivers(db, () => state.nowMs, most), asked, state, registered };
}

test('drivers are asked for once, all of a request together, and again when that is a minute ago', async () => {
  const { drivers, asked, state, registered } = played({ a: 'fleet-1', b: null });
  await drivers.lookUp(['a', 'b', 'c', 'a']);
  expect(asked).toEqual([['a', 'b', 'c']]);
  expect(['a', 'b', 'c', 'd'].map((id) => drivers.fleetOf(id))).toEqual([
    'fleet-1',
    null,
    undefined,
    undefined,
  ]);
  expect(drivers.lookUp(['a', 'b', 'c'])).toBeNull();

  // Who was not there may register; who was may go to another fleet.
  Object.assign(registered, { a: null, c: 'fleet-2' });
  state.nowMs += 2_001;
  await drivers.lookUp(['a', 'c']);
  expect(asked.at(-1)).toEqual(['c']);
  expect([drivers.fleetOf('a'), drivers.fleetOf('c')]).toEqual(['fleet-1', 'fleet-2']);
  state.nowMs += 58_000;
  await drivers.lookUp(['a', 'c']);
  expect(asked.at(-1)).toEqual(['a']);
  expect(drivers.fleetOf('a')).toBeNull();
});

test('what was known stays so while the database is away; of others nobody can say', async () => {
  const { drivers, state } = played({ a: 'fleet-1' });
  await drivers.lookUp(['a', 'gone']);
  Object.assign(state, { nowMs: state.nowMs + 100_000, away: true });
  await drivers.lookUp(['a']);
  expect(drivers.fleetOf('a')).toBe('fleet-1');
  await expect(drivers.lookUp(['a', 'new'])).rejects.toThrow('away');
  await expect(drivers.lookUp(['gone'])).rejects.toThrow('away');
});

test('while the database is away, who is known waits for it once in five seconds, whoever asks', async () => {
  const { drivers, asked, state } = played({ a: 'fleet-1', b: null });
  state.offline.add('b');
  await drivers.lookUp(['a', 'b']);
  Object.assign(state, { nowMs: state.nowMs + 100_000, away: true });
  await drivers.lookUp(['a']);
  state.nowMs += 4_999;
  expect([drivers.lookUp(['a']), drivers.lookUp(['b'])]).toEqual([null, null]);
  expect(asked).toEqual([['a', 'b'], ['a']]);
  state.nowMs += 1;
  state.away = false;
  await drivers.lookUp(['a', 'b']);
  expect(asked.at(-1)).toEqual(['a', 'b']);
});

test('nobody is asked about twice at once, and each request gets what its own drivers are', async () => {
  const { drivers, asked, state } = played({ a: 'fleet-1', b: null });
  const requests = [['a', 'b'], ['a', 'c', 'c'], ['c']].map((ids) => drivers.lookUp(ids)!);
  expect(asked).toEqual([['a', 'b'], ['c']]);
  await Promise.all(requests);
  expect([drivers.fleetOf('a'), drivers.fleetOf('c')]).toEqual(['fleet-1', undefined]);
  Object.assign(state, { nowMs: state.nowMs + 100_000, away: true });
  const mixed = drivers.lookUp(['a', 'new']);
  const known = drivers.lookUp(['a']);
  await expect(mixed).rejects.toThrow('away');
  await known;
  expect(asked.slice(2)).toEqual([['a', 'new']]);
});

test('ids that nobody has take no room from drivers, and have little themselves', async () => {
  const { drivers, asked } = played({ a: 'fleet-1' });
  await drivers.lookUp(['a', 'b']);
  for (let request = 0; request < 11; request++)
    await drivers.lookUp(Array.from({ length: 20_000 }, (_, n) => `made-up-${request}-${n}`));
  expect([drivers.fleetOf('a'), drivers.lookUp(['a'])]).toEqual(['fleet-1', null]);
  expect(drivers.lookUp(['made-up-10-0'])).toBeNull();
  await drivers.lookUp(['a', 'b']);
  expect(asked.at(-1)).toEqual(['b']);
});

test('no more are remembered than there is room for: those asked for last', async () => {
  const others = Array.from({ length: 99 }, (_, n) => `d${n}`);
  const all = { first: null, last: null, ...Object.fromEntries(others.map((id) => [id, null])) };
  const { drivers } = played(all, 100);
  await drivers.lookUp(['first']);
  await drivers.lookUp(others);
  expect(drivers.lookUp(['first'])).toBeNull();
  await drivers.lookUp(['last']);
  expect(drivers.fleetOf('first')).toBeUndefined();
  expect([drivers.fleetOf('last'), drivers.lookUp(['d0'])]).toEqual([null, null]);
});

test('all drivers of the published peak are remembered, each as they are', async () => {
  const driver = (n: number) => ({ fleet: `fleet-${n % 7}`, product: n % 3 === 0 ? 'xl' : 'standard' });
  let [asked, nowMs] = [0, 1_000_000];
  const query = (_sql: string, [ids]: [string[]]) => {
    asked += 1;
    const rows = ids.map((driverId) => {
      const { fleet, product } = driver(Number(driverId));
      return { driverId, fleetId: fleet, product, online: true };
    });
    return Promise.resolve({ rows });
  };
  const drivers = new KnownDrivers({ query } as unknown as Queryable, () => nowMs);
  const ids = Array.from({ length: 800_000 }, (_, n) => String(n));
  for (let first = 0; first < ids.length; first += 20_000) {
    nowMs += 1_300;
    await drivers.lookUp(ids.slice(first, first + 20_000));
  }
  expect([drivers.lookUp(ids.slice(0, 20_000)), asked]).toEqual([null, 40]);
  const isAsItIs = (id: string, n: number): boolean => {
    const { fleet, product } = driver(n);
    return drivers.fleetOf(id) === fleet && serves(drivers.takesOf(id), 'xl') === (product === 'xl');
  };
  expect(ids.every(isAsItIs)).toBe(true);
});

test('what comes while the database is busy is asked in one statement, whoever it is from', async () => {
  const { drivers, asked, state } = played({ a: 'fleet-1', c: 'fleet-3', e: null });
  const requests = ['a', 'b', 'c', 'd', 'e'].map((id) => drivers.lookUp([id])!);
  await Promise.all(requests);
  expect(asked).toEqual([['a'], ['b'], ['c', 'd', 'e']]);
  expect(['a', 'b', 'c', 'e'].map((id) => drivers.fleetOf(id))).toEqual([
    ...['fleet-1', undefined, 'fleet-3', null],
  ]);
  state.away = true;
  const failing = ['f', 'g', 'h', 'i'].map((id) => drivers.lookUp([id])!);
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  state.away = false;
  await drivers.lookUp(['f']);
  expect(asked.at(-1)).toEqual(['f']);
});

test('what drivers take is what their cars serve, and nothing now while they are on no shift; who begins one is seen soon', async () => {
  const { drivers, state, asked } = played({ a: null, 'xl-1': null });
  state.offline.add('a');
  await drivers.lookUp(['a', 'xl-1', 'nobody']);
  expect(['a', 'xl-1', 'nobody'].map((id) => drivers.takesOf(id))).toEqual([
    Takes.standard | Takes.courier,
    Takes.standard | Takes.xl | Takes.courier | Takes.available,
    0,
  ]);
  expect(['standard', 'xl', 'courier'].map((product) => serves(drivers.takesOf('xl-1'), product))).toEqual([
    true,
    true,
    true,
  ]);
  state.offline.delete('a');
  state.nowMs += 2_001;
  await drivers.lookUp(['a', 'xl-1']);
  expect(asked.at(-1)).toEqual(['a']);
  expect(['standard', 'xl', 'courier'].map((product) => serves(drivers.takesOf('a'), product))).toEqual([
    true,
    false,
    true,
  ]);
});

const serves = (takes: number, product: string): boolean =>
  (takes & takesFor(product as Product)) === takesFor(product as Product);
