import { DomainError } from './errors';
import type { Policies } from './policies';
import type { Ride, RideRequest } from './ride';

/**
 * A scheduled request, if its time is one that can be asked for.
 * @throws DomainError `scheduled_too_soon`, `scheduled_too_late`
 */
export function inTime<Request extends Pick<RideRequest, 'scheduledFor'>>(
  request: Request,
  at: string,
  policies: Policies,
): Request {
  const aheadMs = Date.parse(request.scheduledFor ?? at) - Date.parse(at);
  const { scheduleMinAheadMs, scheduleMaxAheadDays } = policies;
  if (aheadMs < scheduleMinAheadMs) {
    throw new DomainError('scheduled_too_soon', 'The pickup is too near: request the ride for now.', {
      minAheadMs: scheduleMinAheadMs,
    });
  }
  if (aheadMs > scheduleMaxAheadDays * 86_400_000) {
    throw new DomainError(
      'scheduled_too_late',
      `A ride can be scheduled up to ${scheduleMaxAheadDays} days ahead.`,
      {
        maxAheadDays: scheduleMaxAheadDays,
      },
    );
  }
  return request;
}

/** The hour in UTC in which a ride is to begin: `2026-11-21T14`. */
export const pickupHour = (
  { scheduledFor }: Pick<RideRequest, 'scheduledFor'>,
  requestedAt: string,
): string => (scheduledFor ?? requestedAt).slice(0, 13);

/**
 * A change may have been recorded between the timer and the release that it was to set off.
 * @throws DomainError `release_not_due`
 */
export function requireDue({ scheduledFor }: Ride, at: string, { scheduleLeadMs }: Policies): void {
  const dueInMs = Date.parse(scheduledFor ?? at) - scheduleLeadMs - Date.parse(at);
  if (dueInMs > 0) {
    throw new DomainError('release_not_due', `The ride is released in ${dueInMs} ms.`, { dueInMs });
  }
}
