import { demandView, surgeView } from '../../contracts/api/analytics';
import { surgePolicy } from '../../domain/surge';
import { BusyCity, lagGroups } from '../../tools/bench/map/busyCity';

const LOOKS = 150;
const LOOK_EVERY_MS = 2_000;

/** Some hundreds of cells, the first with the most pickups. */
const pickups = Array.from({ length: 400 }, (_, n) => ({
  lat: 40.5 + Math.floor(n / 20) / 50,
  lng: -74.1 + (n % 20) / 50,
})).flatMap((at, n) => Array.from({ length: 1 + Math.floor((400 - n) / 20) }, () => at));
const city = new BusyCity(pickups);
const startMs = Date.parse('2026-01-01T18:00:00Z');
const looks = Array.from({ length: LOOKS }, (_, n) => startMs + n * LOOK_EVERY_MS);

test('some dozens of the cells with the most demand surge, by steps, as the route answers', () => {
  const { cells } = demandView.parse({ cells: city.demand(startMs), late: 0 });
  const busiest = new Set(cells.slice(0, 60).map(({ cell }) => cell));
  for (const nowMs of looks) {
    const { surges } = surgeView.parse({ surges: city.surges(nowMs) });
    expect(surges.length).toBeGreaterThanOrEqual(40);
    for (const { cell, multiplier, validUntil } of surges) {
      expect(busiest).toContain(cell);
      expect(multiplier).toBeGreaterThan(1);
      expect(multiplier).toBeLessThanOrEqual(surgePolicy.most);
      expect(Number.isInteger(Math.round(multiplier * 1_000) / 100)).toBe(true);
      expect(Date.parse(validUntil)).toBeGreaterThan(nowMs);
    }
  }
});

test('surge changes now and then: of some cells with a decision, of none between two', () => {
  const seen = looks.map(
    (nowMs) => new Map(city.surges(nowMs).map(({ cell, multiplier }) => [cell, multiplier])),
  );
  const changed = seen.slice(1).map((now, n) => {
    const before = seen[n]!;
    const cells = new Set([...now.keys(), ...before.keys()]);
    return [...cells].filter((cell) => now.get(cell) !== before.get(cell)).length;
  });
  const decisions = changed.filter((count) => count > 0);
  // Of five looks one sees the next decision.
  expect(decisions).toHaveLength(Math.floor(((LOOKS - 1) * LOOK_EVERY_MS) / 10_000));
  for (const count of decisions) {
    expect(count).toBeGreaterThanOrEqual(10);
    expect(count).toBeLessThanOrEqual(30);
  }
});

test('the lag of all consumers, another each time', () => {
  const [first, second] = [city.lag(), city.lag()];
  expect(first.lag.map(({ group }) => group)).toEqual(lagGroups);
  expect(second.lag.map(({ group }) => group)).toEqual(lagGroups);
  expect(second.lag).not.toEqual(first.lag);
  expect(lagGroups).toEqual(
    expect.arrayContaining(['analytics', 'audit', 'location', 'location-rides', 'notifications', 'pricing']),
  );
});
