import { askUntilAnswered } from '../../consumers/location/askUntilAnswered';
import { quiet } from '../support/backbone';

const asked = (signal: AbortSignal) => ({ topic: 'rides', signal, log: quiet });

test('Kafka is asked again until it answers', async () => {
  const answers = [() => Promise.reject(new Error('away')), () => Promise.resolve(7)];
  const ask = () => answers.shift()!();
  expect(await askUntilAnswered<number>(ask, asked(new AbortController().signal))).toBe(7);
  expect(answers).toHaveLength(0);
});

test('and no longer than it is of use', async () => {
  const stopping = new AbortController();
  const ask = () => {
    stopping.abort();
    return Promise.reject(new Error('away'));
  };
  expect(await askUntilAnswered<number>(ask, asked(stopping.signal))).toBeUndefined();
});

test('nor longer than there is time to stop, where Kafka does not answer at all', async () => {
  const stopping = new AbortController();
  const answer = askUntilAnswered(() => new Promise<never>(() => {}), asked(stopping.signal));
  stopping.abort();
  expect(await answer).toBeUndefined();
});
