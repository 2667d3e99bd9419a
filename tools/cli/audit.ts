import { verifyChains, type Break } from '../../consumers/audit/verify';
import { createPool } from '../../platform/postgres';
import { UsageError } from '../commandLine';
import { dataDirOf, databaseOf } from './addresses';
import { optionsOf } from './arguments';

/**
 * `npx hailway audit verify`: whether what the audit store holds is what was stored.
 * @returns 0; 1 where a chain breaks
 */
export async function audit([word, ...argv]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (word !== 'verify') throw new UsageError('audit takes one word: verify');
  const options = optionsOf(argv, ['data-dir'], ['json']);
  const url = await databaseOf(env, dataDirOf(options, env), 'audit');
  const pool = createPool(url, { applicationName: 'audit-verify', max: 1, statementTimeoutMs: 0 });
  try {
    const verified = await verifyChains(pool);
    const lines = [
      ...verified.breaks.map(breakLine),
      ...verified.ends.map(({ topic, partition, place, hash }) => `${topic}/${partition} ${place} ${hash}`),
      `${verified.facts} facts in ${verified.chains} chains, ${verified.breaks.length} broken`,
    ];
    process.stdout.write(`${options.json ? JSON.stringify(verified) : lines.join('\n')}\n`);
    return verified.breaks.length === 0 ? 0 : 1;
  } finally {
    await pool.end();
  }
}

const breakLine = ({ topic, partition, place, factId, reason }: Break): string =>
  `BROKEN ${topic}/${partition} at ${place}: ${factId ?? 'a fact'} ${reason === 'changed' ? 'was' : 'is'} ${reason}`;
