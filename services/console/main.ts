import { join } from 'node:path';
import { createClient } from '../../platform/client';
import { portVariable } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { projectRoot } from '../../platform/root';
import { runProcess } from '../../platform/shutdown';
import { hostsIn, onlyAt } from './guard';
import { MapFeed } from './map/feed';
import { LagWatch } from './map/lagWatch';
import { mapProblems, mapRoutes } from './map/routes';
import { MAX_UNREAD_BYTES } from './map/viewers';
import { consoleRoutes } from './routes';

/** Longer than the gateway waits for its own services, so that it can say which one is away. */
const GATEWAY_DEADLINE_MS = 4_000;

/** A frame that comes later than that is not worth waiting for. */
const LOCATION_DEADLINE_MS = 1_000;
const METRICS_DEADLINE_MS = 1_500;

/** The operators' page, and the live map. */
runProcess('console', async ({ config, log, metrics }) => {
  const gateway = createClient({
    name: 'gateway',
    baseUrl: config.GATEWAY_URL,
    token: config.HAILWAY_SERVICE_TOKEN,
    deadlineMs: GATEWAY_DEADLINE_MS,
    // One of two questions may be about a part that is away: that must not close the way for the other.
    breakAfter: 1_000,
    metrics,
  });
  const location = createClient({
    name: 'location',
    baseUrl: config.LOCATION_URL,
    token: config.HAILWAY_SERVICE_TOKEN,
    deadlineMs: LOCATION_DEADLINE_MS,
    metrics,
  });
  const consumers = [
    ...[config.LOCATION_URL, config.ANALYTICS_URL, config.AUDIT_URL],
    ...[config.NOTIFICATIONS_URL, config.PRICING_URL, config.TRACKS_URL],
  ];
  const lag = new LagWatch(consumers, METRICS_DEADLINE_MS);
  const feed = new MapFeed({ gateway, location, lag, log });
  const at = (path: string): string => new URL(path, config.GATEWAY_URL).href;
  const app = createHttpApp({
    log,
    metrics,
    ready: {},
    problems: mapProblems,
    eventStreams: { maxBufferedBytes: MAX_UNREAD_BYTES },
    routes: (router) => {
      router.use(onlyAt(hostsIn(config.HAILWAY_CONSOLE_HOSTS)));
      mapRoutes(router, {
        gateway,
        feed,
        root: projectRoot(),
        temporalUiUrl: config.HAILWAY_TEMPORAL_UI_URL,
        namespace: config.TEMPORAL_NAMESPACE,
      });
      consoleRoutes(router, {
        gateway,
        catalogueDir: join(projectRoot(), 'docs', 'catalogue'),
        links: [
          ['Map', '/map'],
          ['Facts', '/catalogue/'],
          ['Workflows in Temporal', config.HAILWAY_TEMPORAL_UI_URL],
          ['API description', at('/openapi.json')],
          ['Problems', at('/problems')],
        ],
      });
    },
  });
  const server = await listen(app, {
    port: config.HAILWAY_CONSOLE_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('console'),
  });
  return () => server.close();
});
