import { createGapDetector } from '../../platform/relay/gaps';
import type { OutboxFact } from '../../platform/relay/outboxReader';

const fact = (key: string, sequence: number): OutboxFact => ({
  ...{ id: sequence, topic: 'rides', key, value: '{}', parked: false },
  headers: { ce_sequence: String(sequence) },
});

test('a fact that is missing between two of its key is an alarm, a repeat is none', () => {
  const said: object[] = [];
  let gaps = 0;
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void said.push(fields) };
  const detector = createGapDetector({
    ...{ database: 'rides', log },
    observer: { sent() {}, refused() {}, gap: () => void (gaps += 1) },
  });
  // A key may be seen for the first time in the middle: this relay has taken its lane from another.
  detector.look([fact('a', 7), fact('b', 1), fact('a', 8), fact('b', 2)]);
  detector.look([fact('a', 7), fact('a', 8), fact('a', 9)]);
  expect([said, gaps]).toEqual([[], 0]);

  detector.look([fact('b', 4), fact('a', 10)]);
  expect(said).toEqual([{ database: 'rides', key: 'rides b', last: 2, sequence: 4 }]);
  expect(gaps).toBe(1);
});
