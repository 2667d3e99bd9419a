import { z } from 'zod';
import { isSwapped } from '../../domain/newYork';
import { point, subjectId } from '../shared';
import { outlineOf } from '../zones';
import type { Operation } from './operation';

/** Each driver near the polygon is held against each of its sides. */
const MOST_CORNERS = 100;
const MOST_DRIVERS = 1_000;

/** Drivers are looked for in a polygon of GeoJSON (RFC 7946) without holes. */
export const withinBody = z.strictObject({
  polygon: z.strictObject({
    type: z.literal('Polygon'),
    coordinates: z
      .tuple([
        outlineOf(MOST_CORNERS).refine(
          (ring) => !ring.some(([lng, lat]) => isSwapped({ lat, lng })),
          'the longitude comes first: the other way round it is in New York',
        ),
      ])
      .describe('one ring: 4 to 100 positions, the last the same as the first, within 2 degrees; no holes'),
  }),
  limit: z.int().min(1).max(MOST_DRIVERS).default(100),
  maxAgeSeconds: z.int().min(1).max(120).default(60).describe('who was silent for longer is left out'),
});

const driver = point.extend({
  driverId: subjectId,
  ageMs: z.int().min(0).describe('how long ago the driver was there'),
  isOnShift: z.boolean(),
  isFree: z.boolean().describe('on no ride, as far as location knows'),
});

export const withinView = z.object({
  drivers: z.array(driver).describe('by id'),
  more: z.boolean().describe('whether there are more than the limit: which of them are told is chance then'),
});
export type WithinView = z.infer<typeof withinView>;

/** Who is in a part of the city. */
export const withinOperations = {
  driversWithin: {
    method: 'post',
    path: '/v1/ops/drivers/within',
    summary: 'The drivers who are in a polygon now, by GeoJSON: an airport, an event',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { body: withinBody },
    response: { status: 200, description: 'Where they are, and whether they are free', body: withinView },
    problems: [],
  },
} as const satisfies Record<string, Operation>;
