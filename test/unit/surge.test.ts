import fc from 'fast-check';
import { surgeFor, surgePolicy, weightOfMinute } from '../../domain/surge';

const { most, step, leastDemand } = surgePolicy;
const amount = fc.double({ min: 0, max: 500, noNaN: true });
const before = fc.integer({ min: 10, max: 30 }).map((tenths) => tenths / 10);

describe('surge', () => {
  test('is 1 where each ride finds a driver, and rises by half for each further ride', () => {
    expect(surgeFor({ demand: 20, supply: 20 }, 1)).toBe(1);
    expect(surgeFor({ demand: 20, supply: 40 }, 1)).toBe(1);
    expect(surgeFor({ demand: 40, supply: 20 }, 1)).toBe(1.5);
    expect(surgeFor({ demand: 68, supply: 20 }, 1)).toBe(2.2);
    expect(surgeFor({ demand: 200, supply: 0 }, 1)).toBe(most);
  });

  test('is not made by a handful of rides', () => {
    expect(surgeFor({ demand: leastDemand - 0.01, supply: 0 }, 1)).toBe(1);
    expect(surgeFor({ demand: leastDemand, supply: 0 }, 1)).toBe(most);
  });

  test('stays within its bounds and on its steps, and more demand or less supply never lowers it', () => {
    fc.assert(
      fc.property(amount, amount, amount, before, (demand, supply, more, was) => {
        const surge = surgeFor({ demand, supply }, was);
        expect(surge).toBeGreaterThanOrEqual(1);
        expect(surge).toBeLessThanOrEqual(most);
        expect(Math.abs(surge * 10 - Math.round(surge * 10))).toBeLessThan(1e-9);
        expect(surgeFor({ demand: demand + more, supply }, 1)).toBeGreaterThanOrEqual(
          surgeFor({ demand, supply }, 1),
        );
        expect(surgeFor({ demand, supply: supply + more }, 1)).toBeLessThanOrEqual(
          surgeFor({ demand, supply }, 1),
        );
      }),
    );
  });

  test('moves by a whole step or not at all, but always back to 1', () => {
    expect(surgeFor({ demand: 31.5, supply: 20 }, 1.2)).toBe(1.2);
    expect(surgeFor({ demand: 31.5, supply: 20 }, 1.4)).toBe(1.3);
    expect(surgeFor({ demand: 0, supply: 20 }, 1 + step)).toBe(1);
  });

  test('weighs a minute less the older it is: half after five, nothing after fifteen', () => {
    expect([0, 5, 10, 14, 15, -1].map(weightOfMinute)).toEqual([1, 0.5, 0.25, 0.5 ** 2.8, 0, 0]);
  });
});
