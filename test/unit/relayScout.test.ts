import type { Pool } from '../../platform/postgres';
import { createScout } from '../../platform/relay/scout';
import { eventually, quiet } from '../support/backbone';

/** One look for news, whose answer the test gives. */
interface Look {
  /** The snapshots' upper ends by lane, as they were asked. */
  readonly asked: Readonly<Record<number, string>>;
  answer(found: { now: string; news?: [lane: number, firstId: number, lastId: number][] }): void;
}

/** A database that answers looks when the test says so. */
function heldDatabase() {
  const looks: Look[] = [];
  const client = { once: () => {}, on: () => {}, release: () => {}, query: () => Promise.resolve() };
  const query = ({ values: [lanes, ends] }: { values: [number[], string[]] }) =>
    new Promise((resolve) => {
      looks.push({
        asked: Object.fromEntries(lanes.map((lane, i) => [lane, ends[i]!])),
        answer: ({ now, news = null }) => resolve({ rows: [{ now, news, released: null }] }),
      });
    });
  const pool = { connect: () => Promise.resolve(client), query } as unknown as Pool;
  return {
    pool,
    look: (n: number) =>
      eventually(
        () => looks[n],
        (look) => look !== undefined,
      ),
  };
}

test('a lane that begins to wait during a look is not answered by it', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const { pool, look } = heldDatabase();
  const scout = createScout({ pool, pollMs: 10, signal, log: quiet });
  const first = scout.nextOf(1, '1:10:', signal);
  const running = scout.run();
  const { asked, answer } = (await look(0))!;
  expect(asked).toEqual({ 1: '10' });

  // Lane 2 comes from a window up to 20, lane 1 has been left and begins again from there, too.
  const second = scout.nextOf(2, '1:20:', signal);
  const again = scout.nextOf(1, '1:20:', signal);
  answer({ now: '1:15:', news: [[1, 3, 4]] });
  const next = (await look(1))!;
  expect(next.asked).toEqual({ 1: '20', 2: '20' });
  next.answer({
    now: '1:30:',
    news: [
      [1, 5, 5],
      [2, 6, 7],
    ],
  });
  expect(await Promise.all([second, again])).toEqual([
    { from: '1:20:', to: '1:30:', afterId: 5, lastId: 7 },
    { from: '1:20:', to: '1:30:', afterId: 4, lastId: 5 },
  ]);
  ending.abort();
  await running;
  expect(await first).toBeUndefined();
});
