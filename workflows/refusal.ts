import { ApplicationFailure } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { refusalIn } from './steps';

/** A rule of the domain that was not kept, as the failure that a caller of an Update sees: its type is the code. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError)
    return ApplicationFailure.nonRetryable(error.message, error.code, error.details);
  return refusalIn(error) ?? error;
}

/** True where a transition came too late or too early for the state that the aggregate is in by now. */
export const isOvertaken = (error: unknown): boolean => {
  const refusal = asRefusal(error);
  return (
    refusal instanceof ApplicationFailure &&
    ['illegal_transition', 'release_not_due'].includes(refusal.type ?? '')
  );
};
