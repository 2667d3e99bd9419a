import { z } from 'zod';
import { point, subjectId, time, uuid } from '../shared';
import { rideStatus } from './rides';

/**
 * Everything the audit store has on a ride, its payment and whatever else shares its correlation, in the order of the
 * facts' times; and the tree above it: each cause with the facts that it made.
 */
export const timelineView = z.strictObject({
  rideId: uuid,
  facts: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      time,
      key: z.string().describe('the id of the aggregate: the ride, its dispute, its rating'),
      sequence: z.int(),
      topic: z.string(),
      partition: z.int(),
      offset: z.string(),
      causationId: z.string(),
      data: z.unknown(),
    }),
  ),
  causes: z.array(
    z.strictObject({
      id: z.string().describe("the facts' causationId"),
      command: z.string().nullable().describe('what was asked for; null where another fact is the cause'),
      aggregateId: z.string().nullable().describe('who was asked'),
      caller: z
        .strictObject({ role: z.string(), subject: z.string() })
        .nullable()
        .describe('who asked; null for the saga itself, and where nobody kept it'),
      at: time,
      fact: z
        .string()
        .nullable()
        .describe('the fact above this cause; null where it is under the ride itself'),
      facts: z.array(z.string()).describe('the ids of the facts that it made'),
    }),
  ),
});

/** The city at a glance: rides by status, drivers by state. */
export const overviewView = z.strictObject({
  ridesByStatus: z.record(z.string(), z.int()),
  drivers: z.strictObject({ online: z.int(), onRide: z.int(), offline: z.int() }),
});

/** Rides that are asked for and not over, the newest first, as a map shows them. */
export const ridesInFlight = z.strictObject({
  rides: z.array(
    z.strictObject({
      rideId: uuid,
      workflowId: z.string(),
      status: rideStatus,
      driverId: subjectId.nullable(),
      pickup: point,
      stops: z.array(point).describe('those that are ahead'),
      dropoff: point,
      requestedAt: time,
    }),
  ),
});

/** Rides that wait longer than their state allows. `workflowId` is where the reason is, in Temporal's web UI. */
export const stuckRides = z.strictObject({
  rides: z.array(
    z.strictObject({
      rideId: uuid,
      workflowId: z.string(),
      status: rideStatus,
      driverId: subjectId.nullable(),
      waitsFor: z.string(),
      since: time,
      overdueMs: z.int(),
      action: z.string(),
    }),
  ),
});

export type RidesInFlight = z.infer<typeof ridesInFlight>;
export type StuckRides = z.infer<typeof stuckRides>;
export type TimelineView = z.infer<typeof timelineView>;
export type OverviewView = z.infer<typeof overviewView>;
