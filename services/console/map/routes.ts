import { join } from 'node:path';
import { static as files, type RequestHandler, type Router } from 'express';
import { validate as isUuid } from 'uuid';
import { timelineView, type TimelineView } from '../../../contracts/api/ops';
import { trackView, type TrackView } from '../../../contracts/api/tracks';
import { rideWorkflowId } from '../../../domain/names';
import type { Client } from '../../../platform/client';
import { CodedError } from '../../../platform/errors';
import { openEventStream, type ProblemTable } from '../../../platform/http';
import { guardProblems, notCrossSite } from '../guard';
import { area, GRID } from './area';
import type { MapFeed } from './feed';
import { mapPage } from './page';

export interface MapRoutesOptions {
  readonly gateway: Client;
  readonly feed: Pick<MapFeed, 'watch' | 'size'>;
  /** The project's folder: the page's own files, the outline of the city and MapLibre GL lie in it. */
  readonly root: string;
  /** The web UI of Temporal, and the namespace of the rides. */
  readonly temporalUiUrl: string;
  readonly namespace: string;
}

/** Each costs a picture every 200 ms. */
const MAX_VIEWERS = 40;

export const mapProblems = {
  ...guardProblems,
  too_many_viewers: {
    status: 503,
    title: 'Too many look at the map',
    description: 'Close one of the others, or ask again later.',
    retryAfterSeconds: 10,
  },
} as const satisfies ProblemTable;

/** Scripts, workers and style of the map's page come from here and nowhere else. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const mapFiles = ['maplibre-gl.mjs', 'maplibre-gl-worker.mjs', 'maplibre-gl-shared.mjs', 'maplibre-gl.css'];

/** The live map: its page and files, what changes as server-sent events, and what happened to a ride. */
export function mapRoutes(router: Router, options: MapRoutesOptions): void {
  const { gateway, feed, root, temporalUiUrl, namespace } = options;
  const page = mapPage({ area, grid: GRID });
  const secured: RequestHandler = (_req, res, next) => {
    res.set('Content-Security-Policy', policy);
    next();
  };

  router.get('/map', secured, (_req, res) => void res.type('html').send(page));

  for (const name of mapFiles) {
    const file = join(root, 'node_modules', 'maplibre-gl', 'dist', name);
    router.get(`/map/maplibre/${name}`, secured, (_req, res) => res.sendFile(file));
  }
  const outline = join(root, 'data', 'new-york.geojson');
  router.get('/map/outline.json', (_req, res) => res.type('json').sendFile(outline));
  router.use('/map', secured, files(join(root, 'services', 'console', 'map', 'browser'), { index: false }));

  router.use(['/map/events', '/map/rides'], notCrossSite);
  router.get('/map/events', (req, res) => {
    if (feed.size >= MAX_VIEWERS) throw new CodedError('too_many_viewers', `${MAX_VIEWERS} look already`);
    feed.watch(openEventStream(req, res));
  });

  router.get('/map/rides/:rideId', async (req, res) => {
    const { rideId } = req.params;
    if (!isUuid(rideId)) throw new CodedError('not_found', 'there is no ride with this id');
    const path = `/v1/ops/rides/${rideId}/timeline`;
    const timeline = await gateway.call('GET', path, { response: timelineView });
    const link = new URL(`/namespaces/${namespace}/workflows/${rideWorkflowId(rideId)}`, temporalUiUrl).href;
    res.set('Cache-Control', 'no-store').json({ rideId, link, steps: stepsOf(timeline) });
  });

  router.get('/map/rides/:rideId/track', async (req, res) => {
    const { rideId } = req.params;
    if (!isUuid(rideId)) throw new CodedError('not_found', 'there is no ride with this id');
    const track = await gateway.call('GET', `/v1/rides/${rideId}/track`, { response: trackView });
    res.set('Cache-Control', 'no-store').json(wayOf(track));
  });
}

/** Where a ride's driver went and when, nothing of who that was; no coordinates where no way is known. */
const wayOf = ({ geometry, properties: { times } }: TrackView) => ({
  coordinates: geometry?.coordinates ?? [],
  ...{ from: times[0] ?? null, to: times.at(-1) ?? null },
});

/** What happened, when, and who asked for it: nothing of what the facts say of people. */
function stepsOf({ facts, causes }: TimelineView) {
  const causeOf = new Map(causes.map((cause) => [cause.id, cause]));
  return facts.map(({ id, type, time, causationId }) => {
    const cause = causeOf.get(causationId);
    return { id, type, time, command: cause?.command ?? null, by: cause?.caller?.role ?? null };
  });
}
