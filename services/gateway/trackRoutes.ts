import { operations } from '../../contracts/api/operations';
import { storedPathAnswer, type StoredPath, type TrackView } from '../../contracts/api/tracks';
import { decodePath, PATH_DEGREE, type PathPoint } from '../../contracts/pathChunk';
import type { Ride } from '../../domain/ride';
import type { Client } from '../../platform/client';
import type { Caller, MountOperation } from '../../platform/http';
import type { Vault } from '../../platform/personal';

export interface TrackRoutesOptions {
  readonly tracks: Client;
  /** Opens ways, which are kept sealed: an erasure has its effect here at once. */
  readonly vault: Pick<Vault, 'openBytes' | 'isErased'>;
  /** The ride, where the caller may see it. @throws DomainError `ride_not_found` */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Pick<Ride, 'driverId' | 'endedAt'>>;
}

/** Where a ride's driver went: for its rider, its driver and operators. */
export function trackRoutes(mount: MountOperation, { tracks, vault, rideOf }: TrackRoutesOptions): void {
  mount(operations.rideTrack, async ({ params: { rideId }, caller, signal }) => {
    const { driverId, endedAt } = await rideOf(caller, rideId);
    const { path } = await tracks.call('GET', `/internal/rides/${rideId}/path`, {
      response: storedPathAnswer,
      signal,
    });
    // Who drove it before is not known to who drives it now, nor the other way round.
    const theirs = path !== null && path.driverId === driverId ? endedBy(endedAt, path) : null;
    return { status: 200, body: trackOf(rideId, theirs, theirs ? await pointsOf(theirs, vault) : []) };
  });
}

/** The way as far as the ride went, also where tracks has not heard of its end yet: its driver is on the way to others. */
function endedBy(endedAt: string | null, path: StoredPath): StoredPath {
  if (endedAt === null) return path;
  return { ...path, untilMs: Math.min(path.untilMs ?? Infinity, Date.parse(endedAt)) };
}

async function pointsOf(path: StoredPath, vault: TrackRoutesOptions['vault']): Promise<PathPoint[]> {
  const { riderId, driverId, fromMs, untilMs, chunks } = path;
  // Its rider's key seals it, and its driver's erasure holds as well.
  if (await vault.isErased(driverId)) return [];
  const byPlace = new Map<string, PathPoint>();
  for (const { id, sealed } of chunks) {
    const bytes = await vault.openBytes(id, riderId, Buffer.from(sealed, 'base64'));
    for (const point of bytes === null ? [] : decodePath(bytes)) {
      const { atMs, lat, lng } = point;
      // A position near a region's rim was told in two partitions.
      if (atMs >= fromMs && (untilMs === null || atMs <= untilMs))
        byPlace.set(`${atMs} ${lat} ${lng}`, point);
    }
  }
  return [...byPlace.values()].sort((a, b) => a.atMs - b.atMs);
}

function trackOf(rideId: string, path: StoredPath | null, points: readonly PathPoint[]): TrackView {
  const at = (ms: number | null | undefined): string | null =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString();
  const isLine = points.length >= 2;
  return {
    type: 'Feature',
    properties: {
      rideId,
      driverId: path?.driverId ?? null,
      ...{ assignedAt: at(path?.fromMs), startedAt: at(path?.startedMs), endedAt: at(path?.untilMs) },
      times: isLine ? points.map(({ atMs }) => new Date(atMs).toISOString()) : [],
    },
    geometry: isLine
      ? {
          type: 'LineString',
          coordinates: points.map(({ lat, lng }) => [lng / PATH_DEGREE, lat / PATH_DEGREE]),
        }
      : null,
  };
}
