import type { Say } from '../../stack/say';
import type { FaultOptions } from '../options';
import { fuzzRecords } from './fuzz';

const INPUTS_A_ROUND = 10_000_000;
const INPUTS_AT_ONCE = 500_000;

/** Reads mutated records of positions, 10,000,000 a round. Says what it tried and what came of it. */
export async function locationFaults(
  { seed, repeats }: FaultOptions,
  say: Say,
): Promise<{ allIsWell: boolean }> {
  const wrong: string[] = [];
  for (let round = 0; round < repeats; round++) {
    const first = seed + round * INPUTS_A_ROUND;
    say.line(`Round ${round + 1} of ${repeats}: ${INPUTS_A_ROUND} records from seed ${first} on`);
    const tried: Record<string, number> = {};
    const outcomes: Record<string, number> = {};
    for (let done = 0; done < INPUTS_A_ROUND; done += INPUTS_AT_ONCE) {
      const found = fuzzRecords(first + done, INPUTS_AT_ONCE);
      for (const [name, count] of Object.entries(found.tried)) tried[name] = (tried[name] ?? 0) + count;
      for (const [name, count] of Object.entries(found.outcomes))
        outcomes[name] = (outcomes[name] ?? 0) + count;
      wrong.push(...found.wrong);
      await new Promise(setImmediate);
    }
    say.line(`  mutations: ${asText(tried)}`);
    say.line(`  outcomes: ${asText(outcomes)}`);
  }
  say.line(wrong.length === 0 ? 'None was taken for what it is not' : wrong.join('\n'));
  return { allIsWell: wrong.length === 0 };
}

const asText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
