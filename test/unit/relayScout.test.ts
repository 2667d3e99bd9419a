import { EventEmitter, getEventListeners } from 'node:events';
import type { Pool } from '../../platform/postgres';
import type { Floor, Reached } from '../../platform/relay/outboxReader';
import { createScout } from '../../platform/relay/scout';
import { eventually, quiet } from '../support/backbone';

/** One look for news, whose answer the test gives. */
interface Look {
  /** The snapshots' upper ends by lane, as they were asked. */
  readonly asked: Readonly<Record<number, string>>;
  answer(found: { now: string; news?: [lane: number, firstEarly: number | null, lastId: number][] }): void;
  fail(): void;
}

/** A connection that listens. */
class Ear extends EventEmitter {
  released = 0;

  constructor(private readonly isLost: boolean) {
    super();
  }

  query(): Promise<void> {
    return new Promise((resolve) => {
      resolve();
      if (this.isLost) this.emit('error', new Error('terminating connection'));
    });
  }

  release(): void {
    this.released += 1;
  }
}

/** A database that answers looks when the test says so; the first so many that listen are lost as they are answered. */
function heldDatabase(lost = 0) {
  const looks: Look[] = [];
  const ears: Ear[] = [];
  const connect = () => Promise.resolve(ears[ears.push(new Ear(ears.length < lost)) - 1]);
  const query = ({ values: [lanes, ends] }: { values: [number[], string[]] }) =>
    new Promise((resolve, reject) => {
      looks.push({
        fail: () => reject(new Error('terminated')),
        asked: Object.fromEntries(lanes.map((lane, i) => [lane, ends[i]!])),
        answer: ({ now, news = null }) =>
          resolve({ rows: [{ now, news, xid: news && '99', released: null }] }),
      });
    });
  const pool = { connect, query } as unknown as Pool;
  return {
    ...{ pool, ears },
    look: (n: number) =>
      eventually(
        () => looks[n],
        (look) => look !== undefined,
      ),
  };
}

const at = (from: string, floor: Floor | null = null): Reached => ({ from, floor });

test('a lane that begins to wait during a look is not answered by it', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const { pool, look } = heldDatabase();
  const scout = createScout({ pool, pollMs: 10, signal, log: quiet });
  const first = scout.nextOf(1, at('1:10:'), signal);
  const running = scout.run();
  const { asked, answer } = (await look(0))!;
  expect(asked).toEqual({ 1: '10' });

  // Lane 2 comes from a window up to 20, lane 1 has been left and begins again from there, too.
  const second = scout.nextOf(2, at('1:20:'), signal);
  const floor = { of: '1:20:', xid: '21', id: 4 };
  const again = scout.nextOf(1, at('1:20:', floor), signal);
  answer({ now: '1:15:', news: [[1, null, 4]] });
  const next = (await look(1))!;
  expect(next.asked).toEqual({ 1: '20', 2: '20' });
  next.answer({
    now: '1:30:',
    news: [
      [1, null, 5],
      [2, null, 7],
    ],
  });
  expect(await Promise.all([second, again])).toEqual([
    { from: '1:20:', to: '1:30:', afterId: 0, floor: { of: '1:30:', xid: '99', id: 7 } },
    { from: '1:20:', to: '1:30:', afterId: 4, floor: { of: '1:30:', xid: '99', id: 5 } },
  ]);
  ending.abort();
  await running;
  expect(await first).toBeUndefined();
});

test('a lane that is asked about anew leaves nothing of the question before', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const { pool } = heldDatabase();
  const scout = createScout({ pool, pollMs: 10, signal: new AbortController().signal, log: quiet });
  const questions = [1, 2, 3].map((n) => scout.nextOf(1, at(`1:${n}0:`), signal));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  expect(await Promise.all(questions.slice(0, 2))).toEqual([undefined, undefined]);
  ending.abort();
  expect(await questions[2]).toBeUndefined();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a connection that is lost as it begins to listen is given back once, and another one listens', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const { pool, ears, look } = heldDatabase(1);
  const scout = createScout({ pool, pollMs: 10, signal, log: quiet });
  void scout.nextOf(1, at('1:10:'), signal);
  const running = scout.run();
  (await look(0))!.answer({ now: '1:20:' });
  const last = await look(1);
  ending.abort();
  last!.answer({ now: '1:20:' });
  await running;
  expect(ears.map(({ released }) => released)).toEqual([1, 1]);
});

test.each<[string, (held: ReturnType<typeof heldDatabase>) => Promise<void>]>([
  ['the connection is lost', async ({ ears }) => void ears[0]!.emit('error', new Error('terminated'))],
  ['a look fails', async ({ look }) => (await look(1))!.fail()],
])(
  'where %s the server may have crashed: what was remembered beside the stored snapshot is not believed',
  async (_, lose) => {
    const ending = new AbortController();
    const { signal } = ending;
    const held = heldDatabase();
    const scout = createScout({ pool: held.pool, pollMs: 10, signal, log: quiet });
    const next = scout.nextOf(1, at('1:10:'), signal);
    const running = scout.run();
    (await held.look(0))!.answer({ now: '1:20:' });
    expect((await held.look(1))!.asked).toEqual({ 1: '20' });
    await lose(held);
    (await held.look(1))!.answer({ now: '1:20:' });
    const asked = await eventually(
      async () => (await held.look(2))!.asked,
      (lanes) => lanes[1] !== undefined,
    );
    expect(asked).toEqual({ 1: '10' });
    ending.abort();
    (await held.look(2))!.answer({ now: '1:20:' });
    await running;
    expect(await next).toBeUndefined();
  },
);

test('a lane above a snapshot that the database has yet to reach is told so', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const { pool, look } = heldDatabase();
  const scout = createScout({ pool, pollMs: 10, signal, log: quiet });
  const ahead = scout.nextOf(1, at('1:1000:'), signal);
  const running = scout.run();
  (await look(0))!.answer({ now: '1:999:' });
  await expect(ahead).rejects.toThrow(/lane 1 .* yet to reach/);
  ending.abort();
  await running;
});
