import { chmodSync, mkdirSync } from 'node:fs';
import { playIn, playInHouse } from '../../tools/faults/backbone/backbone';
import { startHouse, type House } from '../../tools/faults/backbone/house';
import { clusterStories, fullDisks, restarts } from '../../tools/faults/backbone/stories';
import { newDataDir } from '../support/wholeStack';

/** Each once; `npm run faults -- backbone` repeats them with other seeds. */
const seed = 1;
const dataDir = (): string => {
  const dir = newDataDir();
  mkdirSync(dir);
  chmodSync(dir, 0o711);
  return dir;
};

describe('one broker', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ dataDir: dataDir(), brokers: 1 });
  }, 90_000);
  afterAll(() => house?.stop(), 60_000);

  test.each(Object.entries(restarts))(
    '%s: nothing is lost, doubled or out of order',
    async (_, story) => {
      expect(await playIn(house, story, { seed })).toEqual([]);
    },
    180_000,
  );
});

describe('three brokers', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ dataDir: dataDir(), brokers: 3 });
  }, 120_000);
  afterAll(() => house?.stop(), 60_000);

  test.each(Object.entries(clusterStories))(
    '%s: nothing that counts is lost, doubled or out of order',
    async (_, story) => {
      expect(await playIn(house, story, { seed })).toEqual([]);
    },
    240_000,
  );
});

test.each([
  ["Postgres's disk is full", 'postgres'],
  ["Kafka's disk is full", 'kafka'],
] as const)(
  '%s: work goes on by itself when there is space again',
  async (name, small) => {
    expect(await playInHouse(fullDisks[name], { dataDir: dataDir(), seed, small })).toEqual([]);
  },
  240_000,
);
