import { createPoll } from '../../platform/poll';
import { wait } from '../../platform/wait';

/** Milliseconds from each look's begin to the next one's, of looks that take 100 ms and are wanted every 120. */
async function gapsMs(isSteady: boolean): Promise<number[]> {
  const stopping = new AbortController();
  const begins: number[] = [];
  await createPoll().run(
    async () => {
      begins.push(performance.now());
      await wait(100);
      if (begins.length === 4) stopping.abort();
    },
    { everyMs: 120, isSteady, signal: stopping.signal, log: { warn: fail }, trouble: 'no news' },
  );
  return begins.slice(1).map((begin, n) => begin - begins[n]!);
}

const fail = (): never => {
  throw new Error('no look has failed');
};

test('a steady poll looks as often as it says, though its looks take time', async () => {
  const gaps = await gapsMs(true);
  expect(Math.min(...gaps)).toBeGreaterThan(110);
  expect(Math.min(...gaps)).toBeLessThan(200);
});

test('any other rests between its looks for so long', async () => {
  expect(Math.min(...(await gapsMs(false)))).toBeGreaterThan(210);
});
