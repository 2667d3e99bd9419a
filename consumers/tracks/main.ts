import { problemPages } from '../../contracts/api/problems';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { createMount } from '../../platform/http';
import { openKafka } from '../../platform/kafka';
import { showLag } from '../../platform/metrics/lag';
import { openVault } from '../../platform/personal/open';
import { createPoll } from '../../platform/poll';
import { createPool, migrate } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { turnDays } from './paths/days';
import { recordPaths } from './paths/record';
import { tracks } from './projection';
import { tracksRoutes } from './routes';
import { watchZones } from './zones/watch';
import { readZones } from './zones/zoneFile';

const HOUR_MS = 60 * 60_000;

runProcess('tracks', async ({ config, log, metrics, signal, fail }) => {
  const zones = readZones(config.ZONES_FILE);
  await migrate(config.TRACKS_DATABASE_URL, tracks.migrations);
  const pool = createPool(config.TRACKS_DATABASE_URL, { applicationName: 'tracks', max: 8, log });
  metrics.watchPool('tracks', pool);
  await turnDays(pool, config.TRACK_DAYS);
  const personal = openVault(config, { name: 'tracks', log, metrics });
  const kafka = openKafka('tracks', { config, log, signal, fail });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const inbox = runProjection(tracks, { pool, kafka, topicPrefix, metrics, signal, log });
  const topic = `${topicPrefix}driver-positions`;
  /** A reader of positions, by the group that it is in. */
  const reader = (name: 'tracks-zones' | 'tracks-paths') => {
    const group = topicPrefix + name;
    const lag = showLag({ metrics, kafka, group, shownAs: name, topics: [topic] });
    return { kafka, group, topic, pool, signal, log, lag };
  };
  const loops = [
    inbox.done,
    watchZones({ ...reader('tracks-zones'), zones, topicPrefix }),
    recordPaths({
      ...reader('tracks-paths'),
      vault: personal.vault,
      chunkMs: config.TRACK_CHUNK_SECONDS * 1_000,
      now: Date.now,
    }),
    createPoll().run(() => turnDays(pool, config.TRACK_DAYS), {
      ...{ everyMs: HOUR_MS, signal, log },
      trouble: 'the days of tracks do not turn',
    }),
  ];
  for (const loop of loops) loop.catch(fail);

  const server = await serveRoles('tracks', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router, requireRole) => {
      tracksRoutes(router, requireRole, pool);
      deadLetterRoutes(createMount(router, requireRole), inbox.deadLetters);
    },
  });
  return async () => {
    await server.close();
    await Promise.all(loops);
    await Promise.all([pool.end(), personal.close()]);
  };
});
