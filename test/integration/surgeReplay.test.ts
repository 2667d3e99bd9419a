import { v7 as uuidv7 } from 'uuid';
import { stopAll } from '../support/backbone';
import { at, type TestFact } from '../support/consumers';
import { hashOf, startReplayGround, type LiveConsumer, type ReplayGround } from '../support/replayGround';

/** What each cell's surge is now is made anew from the facts that said so; quotes stand beside it as they were issued. */

jest.setTimeout(120_000);

let ground: ReplayGround;
let live: LiveConsumer;

const surge = (cell: string, sequence: number, multiplier: number): TestFact => ({
  ...{ topic: 'pricing', key: cell, sequence, type: 'surge.changed' },
  time: at(`12:0${sequence}:00.000`),
  data: { cell, multiplier, demand: 40, supply: 20, validUntil: at(`12:1${sequence}:00.000`) },
});
const cells = ['882a100d65fffff', '882a100d67fffff', '882a100d69fffff'];

beforeAll(async () => {
  ground = await startReplayGround();
  await ground.start('audit');
  live = await ground.start('pricing');
  await ground.send([1, 2, 3].flatMap((n) => cells.map((cell, i) => surge(cell, n, n + i / 2))));
  await ground.settled();
});
afterAll(async () => {
  await ground?.stop();
  await stopAll();
});

const surges = async () => {
  const { rows } = await live.pool.query<{ cell: string; multiplier: number; validUntil: string }>(
    'select cell, multiplier, valid_until as "validUntil" from surges order by cell',
  );
  return rows;
};

test('a replay comes to the last word on each cell, and leaves quotes as they are', async () => {
  const wanted = cells.map((cell, i) => ({ cell, multiplier: 3 + i / 2, validUntil: at('12:13:00.000') }));
  expect(await surges()).toEqual(wanted);
  const before = await hashOf(live);
  await live.pool.query(`insert into quotes values ($1, 'rider-1', '{}', '2026-03-01')`, [uuidv7()]);
  expect(await ground.replay('--consumer', 'pricing', '--check')).toMatchObject({ code: 0 });

  await live.pool.query('update surges set multiplier = 9 where cell = $1', [cells[0]]);
  await live.pool.query('delete from surges where cell = $1', [cells[1]]);
  expect(await ground.replay('--consumer', 'pricing', '--check')).toMatchObject({ code: 1 });
  expect(await ground.replay('--consumer', 'pricing')).toMatchObject({ code: 0 });
  expect(await surges()).toEqual(wanted);
  expect(await hashOf(live)).toBe(before);
  expect((await live.pool.query('select from quotes')).rowCount).toBe(1);
});

test('of one cell alone it is made anew, too', async () => {
  const before = await hashOf(live);
  await live.pool.query('update surges set multiplier = 9 where cell = $1', [cells[2]]);
  expect(await hashOf(live)).not.toBe(before);
  expect(await ground.replay('--consumer', 'pricing', '--keys', cells[2]!)).toMatchObject({ code: 0 });
  expect(await hashOf(live)).toBe(before);
});
