import { createGapDetector } from '../../platform/relay/gaps';
import type { OutboxFact, RelayedFact } from '../../platform/relay/outboxReader';

const fact = (key: string, sequence: number): OutboxFact => ({
  ...{ id: sequence, topic: 'rides', key, value: '{}', parked: false },
  headers: { ce_sequence: String(sequence) },
});

const relayed = (key: string, sequence: number): RelayedFact => ({
  ...{ topic: 'rides', key, sequence: String(sequence) },
});

/** A detector, and what it has said. */
function listening() {
  const said: object[] = [];
  let gaps = 0;
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void said.push(fields) };
  const detector = createGapDetector({
    ...{ database: 'rides', log },
    observer: { sent() {}, refused() {}, gap: () => void (gaps += 1) },
  });
  return { detector, said, gaps: () => gaps };
}

test('a fact that is missing between two of its key is an alarm, a repeat is none', () => {
  const { detector, said, gaps } = listening();
  // A key may be seen for the first time in the middle: this relay has taken its lane from another.
  detector.look([fact('a', 7), fact('b', 1), fact('a', 8), fact('b', 2)]);
  detector.look([fact('a', 7), fact('a', 8), fact('a', 9)]);
  expect([said, gaps()]).toEqual([[], 0]);

  detector.look([fact('b', 4), fact('a', 10)]);
  expect(said).toEqual([{ database: 'rides', key: 'rides b', last: 2, sequence: 4 }]);
  expect(gaps()).toBe(1);
});

test('what was relayed before may be known late: where a key began is held against it', () => {
  const { detector, said, gaps } = listening();
  detector.look([fact('torn', 5), fact('torn', 6), fact('whole', 4), fact('repeated', 2), fact('new', 7)]);
  detector.look([fact('torn', 7), fact('repeated', 3)]);
  const before = [relayed('torn', 3), relayed('torn', 2), relayed('whole', 3), relayed('whole', 2)];
  detector.remember([...before, relayed('repeated', 4), relayed('silent', 1)]);
  expect(said).toEqual([{ database: 'rides', key: 'rides torn', last: 3, sequence: 5 }]);

  detector.look([fact('torn', 8), fact('whole', 5), fact('repeated', 5)]);
  expect(gaps()).toBe(1);
  detector.look([fact('silent', 3)]);
  expect(said[1]).toEqual({ database: 'rides', key: 'rides silent', last: 1, sequence: 3 });
});
