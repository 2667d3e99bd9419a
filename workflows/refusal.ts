import { ApplicationFailure } from '@temporalio/workflow';
import { DomainError, type ErrorCode } from '../domain/errors';
import type { TakenOtherwise } from '../domain/paymentCalls';
import type { Ride } from '../domain/ride';
import { refusalIn } from './steps';

/** A rule of the domain that was not kept, as the failure that a caller of an Update sees: its type is the code. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError)
    return ApplicationFailure.nonRetryable(error.message, error.code, error.details);
  return refusalIn(error) ?? error;
}

/** As the validator of an Update: what is refused without waiting leaves nothing in the history. */
export function refusing(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw asRefusal(error);
  }
}

/** What was taken of a hold, where the provider refuses a call because somebody else has taken it. */
export function takenOtherwise(error: unknown): TakenOtherwise | undefined {
  const refusal = refusalIn(error);
  const isSo = refusal?.type === 'captured_otherwise' || refusal?.type === 'hold_captured';
  return isSo ? (refusal.details?.[0] as TakenOtherwise | undefined) : undefined;
}

/** Refuses what comes when the ride is over: no state of it is beyond that. */
export function refuseWhenOver(record: { readonly hasEnded: boolean; readonly ride: Ride }): void {
  if (!record.hasEnded) return;
  const { status } = record.ride;
  const message = `The ride is over (${status}): nothing can be done to it any more.`;
  throw ApplicationFailure.nonRetryable(message, 'illegal_transition', {
    rideStatus: status,
  });
}

/** Refusals that a ride further on may not give. */
const ofTheState: readonly ErrorCode[] = [
  'illegal_transition',
  'release_not_due',
  'not_your_ride',
  'stop_out_of_order',
  'route_change_over',
  'route_change_not_possible',
];

/** True where the state that a command was decided on may be the reason that it was refused. */
export const mayBeBehind = (error: unknown): boolean =>
  error instanceof DomainError && ofTheState.includes(error.code);

/** True where a transition came too late or too early for the state that the aggregate is in by now. */
export const isOvertaken = (error: unknown): boolean => {
  const refusal = asRefusal(error);
  return (
    refusal instanceof ApplicationFailure &&
    ['illegal_transition', 'release_not_due'].includes(refusal.type ?? '')
  );
};
