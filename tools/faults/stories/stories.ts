import { randomBytes } from 'node:crypto';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { workflowBundlePath } from '../../../platform/temporal';
import { startBenchServers } from '../../bench/servers';
import { ensureDatabase, migrateOwner } from '../../stack/databases';
import type { Say } from '../../stack/say';
import type { FaultOptions } from '../options';
import { asText, seedsFrom, tellStories, type Found } from './tell';

const STORIES_AT_ONCE = 12;

/**
 * Plays seeded stories of payments: riders, operators, webhooks and a provider that fails, all at once, and holds each
 * against the provider's own books. Tells the whole of a story that came out wrong.
 */
export async function storyFaults({ seed, count }: FaultOptions, say: Say): Promise<{ allIsWell: boolean }> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const servers = await say.during('Starting postgres, temporal', () =>
    startBenchServers(['postgres', 'temporal'], say),
  );
  const { postgresUrl, temporalAddress } = servers;
  try {
    const database = `stories_${randomBytes(4).toString('hex')}`;
    const databaseUrl = await ensureDatabase(postgresUrl, {
      owner: 'payments',
      database,
      password: 'payments',
    });
    await migrateOwner('payments', databaseUrl, postgresUrl);
    say.line(`${count} stories, seeds from ${seed}`);
    const ground = { temporalAddress, databaseUrl, workflowBundle: { codePath: workflowBundlePath() } };
    const onFound = (found: Found): void => {
      if (found.wrong.length > 0) say.line(asText(found));
    };
    const found = await tellStories(ground, seedsFrom(seed, count), { atOnce: STORIES_AT_ONCE, onFound });
    const harmed = found.filter(({ wrong }) => wrong.length > 0);
    say.line(
      `${found.length} stories, ${harmed.length} came out wrong: ${harmed.map((one) => one.seed).join()}`,
    );
    return { allIsWell: harmed.length === 0 };
  } finally {
    await servers.stop();
  }
}
