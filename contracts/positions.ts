import { z } from 'zod';
import { point, subjectId } from './shared';

/**
 * A record of the topic `driver-positions` as gateways wrote it before there was the binary form (positionRecord.ts), and
 * as may lie in the log for an hour: many drivers' positions, each as
 * `[driverId, lat, lng, sequence, atMs]` with `atMs` in milliseconds since 1970. Telemetry: the newest sequence wins.
 */
export const positionsRecord = z.object({
  v: z.literal(1),
  positions: z.array(z.tuple([subjectId, point.shape.lat, point.shape.lng, z.int().min(0), z.int().min(0)])),
});

export type PositionsRecord = z.infer<typeof positionsRecord>;
export type PackedPosition = PositionsRecord['positions'][number];
