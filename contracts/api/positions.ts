import { z } from 'zod';
import { point, subjectId, time } from '../shared';
import { MAX_POSITIONS } from '../positionRecord';

/** One position of a driver. `sequence` rises with every position of the driver; the newest wins. */
export const position = z.strictObject({
  lat: point.shape.lat,
  lng: point.shape.lng,
  sequence: z.int().min(0),
  at: time,
});

/** Of one driver in one request. */
export const MOST_OF_A_DRIVER = 100;
export const positionsBody = z.strictObject({ positions: z.array(position).min(1).max(MOST_OF_A_DRIVER) });

/** Positions of many drivers of one fleet. */
export const fleetPositionsBody = z.strictObject({
  positions: z
    .array(position.extend({ driverId: subjectId }))
    .min(1)
    .max(MAX_POSITIONS),
});

/** The same in binary: contracts/positionRecord.ts has its bytes. A form that is not read by the same reader is a version. */
export const positionsMediaType = 'application/vnd.hailway.positions.v2';

/** A clock may be so far ahead of ours, in milliseconds: what is said to be later is refused. */
export const MOST_AHEAD_MS = 30_000;

/** Whether a request with bad positions has its good ones taken. Without it all are taken, or none. */
export const partialQuery = z.strictObject({ partial: z.enum(['true', 'false']).default('false') });

/** A position that was refused. */
export const badPosition = z.strictObject({
  in: z.literal('body'),
  index: z.int().describe('which position of the request, counted from 0'),
  pointer: z.string().describe('a JSON pointer, of the binary form to where it would stand in JSON'),
  detail: z.string(),
});

/** Bad positions that an answer tells of. */
export const MOST_ERRORS = 20;

export const positionsTaken = z.strictObject({
  taken: z.int(),
  refused: z.int(),
  errors: z.array(badPosition).max(MOST_ERRORS).describe('the first of those that were refused'),
});

export type Position = z.infer<typeof position>;
export type BadPosition = z.infer<typeof badPosition>;
export type PositionsTaken = z.infer<typeof positionsTaken>;
