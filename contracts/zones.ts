import { z } from 'zod';
import type { Polygon } from '../domain/polygon';
import type { Zone } from '../domain/zones';

/** A zone's id goes into facts, which are kept for ever: a short name, never used for another place. */
export const zoneId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'small letters, digits and -, at most 40');

/** Larger than any airport; what is larger is a region, and touches too many squares. */
const MOST_DEGREES = 2;

const corner = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]);

/** A polygon's ring as GeoJSON has it, of so many corners at most, the first counted again as the last. */
export const outlineOf = (mostCorners: number) =>
  z
    .array(corner)
    .min(4)
    .max(mostCorners)
    .refine((ring) => String(ring[0]) === String(ring.at(-1)), 'a ring ends where it begins')
    .refine(
      (ring) =>
        [0, 1].every((axis) => {
          const sizes = ring.map((place) => Math.abs(place[axis]! - ring[0]![axis]!));
          return sizes.every((size) => Math.min(size, 360 - size) <= MOST_DEGREES / 2);
        }),
      `within ${MOST_DEGREES} degrees at most`,
    );

/** The corners of a ring of GeoJSON, each once. */
export const cornersOf = (ring: z.infer<ReturnType<typeof outlineOf>>): Polygon =>
  ring.slice(1).map(([lng, lat]) => ({ lat, lng }));

/** GeoJSON (RFC 7946) of zones: a feature each, a polygon of one ring. */
export const zoneCollection = z.object({
  type: z.literal('FeatureCollection'),
  features: z
    .array(
      z.object({
        type: z.literal('Feature'),
        id: zoneId,
        properties: z.object({ name: z.string().min(1).max(100), kind: z.string().min(1).max(40) }),
        geometry: z.object({ type: z.literal('Polygon'), coordinates: z.tuple([outlineOf(1_000)]) }),
      }),
    )
    .max(1_000)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'two zones have the same id'),
});

/** The zones of a collection, for who looks whether places are in them. */
export const zonesIn = ({ features }: z.infer<typeof zoneCollection>): Zone[] =>
  features.map(({ id, geometry }) => ({
    zoneId: id,
    ring: cornersOf(geometry.coordinates[0]),
  }));
