import { backoffMs } from '../../platform/wait';

const bounds = { minMs: 100, maxMs: 2_000 };
const attempts = [0, 1, 2, 3, 4, 5, 1_000_000];

test('each try waits twice as long as the one before, up to the most', () => {
  expect(attempts.map((attempt) => backoffMs(attempt, bounds, 1))).toEqual([
    100, 200, 400, 800, 1_600, 2_000, 2_000,
  ]);
});

test('who waits at once does not come back at once: chance takes off up to half', () => {
  for (const attempt of attempts) {
    const full = backoffMs(attempt, bounds, 1);
    expect([0, 0.5].map((random) => backoffMs(attempt, bounds, random))).toEqual([full / 2, (full * 3) / 4]);
  }
  const drawn = new Set(Array.from({ length: 100 }, () => backoffMs(5, bounds)));
  expect(drawn.size).toBeGreaterThan(10);
});
