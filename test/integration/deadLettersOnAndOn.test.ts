import { factRecord, upTo } from '../support/backbone';
import { fact, useDeadLetters } from '../support/deadLetterBench';
import { effectsOf } from '../support/inboxBench';

/** Dead letters of which more waits than a request has time for. */

const bench = useDeadLetters();
const { inbox } = bench;

test('a deed in many requests is done to what was meant alone, and frees its keys', async () => {
  bench.refuse(...['kept', 'long', 'next', 'last'].map((key) => fact(key, 1)));
  const consumer = inbox.consume(bench.picky);
  const of = (key: string, n: number) => upTo(n).map((sequence) => factRecord(inbox.topic, key, sequence));
  await inbox.producer.send([...of('kept', 202), ...of('long', 202), ...of('next', 3), ...of('last', 1)]);
  await inbox.readTo(408);
  await consumer.stop();
  const office = await bench.startOffice();
  bench.refuse(fact('next', 2));
  const [kept] = (await office.list('--key', 'kept')).deadLetters;
  let nowMs = Date.now();
  // At each look at the clock the time of a request is over.
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => (nowMs += 6_000));
  try {
    expect(await office.hailway('replay', kept!.id)).toMatchObject({ code: 0 });
    expect(effectsOf(await inbox.effects(), 'kept')).toEqual(upTo(202));
    const because = ['--because', 'made by mistake'];
    expect(await office.hailway('discard', '--consumer', 'analytics', ...because)).toMatchObject({ code: 0 });
  } finally {
    clock.mockRestore();
  }
  const { rows } = await inbox.db.pool.query('select fact_id as id from inbox_discarded order by key');
  expect(rows.map(({ id }) => id as string)).toEqual(['last', 'long', 'next'].map((key) => fact(key, 1)));
  const seen = await inbox.effects();
  expect(effectsOf(seen, 'long')).toEqual(upTo(202).slice(1));
  expect((await inbox.parked()).map(({ factId, head }) => [factId, head])).toEqual([
    [fact('next', 2), true],
    [fact('next', 3), false],
  ]);
}, 60_000);
