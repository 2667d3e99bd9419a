import { z } from 'zod';

const whole = (takes: string, { min, max, byDefault }: { min: number; max: number; byDefault: number }) =>
  z.coerce.number().int().min(min).max(max).default(byDefault).meta({ description: takes });

/** What becomes of drivers' positions. */
export const positionVariables = {
  LOCATION_COPIES: whole('how many location processes hold each partition of positions, 1 to 10', {
    ...{ min: 1, max: 10, byDefault: 2 },
  }),
  POSITION_REGION_METERS: whole(
    'the size of a region of positions in meters, 2000 to 1000000, the same for gateway and location',
    { min: 2_000, max: 1_000_000, byDefault: 100_000 },
  ),
  ZONES_FILE: z
    .string()
    .default('data/zones.geojson')
    .meta({ description: 'a GeoJSON file of the zones whose drivers are told of as they enter and leave' }),
  // Who pays by card may dispute it for 120 days from the charge; ten more to answer, with the way as evidence.
  TRACK_DAYS: whole('for how many days the ways of rides are kept, 1 to 3650', {
    ...{ min: 1, max: 3_650, byDefault: 130 },
  }),
  TRACK_CHUNK_SECONDS: whole(
    "so many seconds of a ride's way are written together, 1 to 300: more take less room, and can be read later",
    { min: 1, max: 300, byDefault: 10 },
  ),
};
