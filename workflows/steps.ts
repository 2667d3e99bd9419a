import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ActivityInterfaceFor, UntypedActivities } from '@temporalio/workflow';

/**
 * Together with the back-off they come to the same 3 s. The time alone is not enough: the SDK forgets it where it runs
 * out between two attempts (seen with 1.24), and an activity that fails at once is nearly always between two.
 */
const LOCAL_ATTEMPTS = 9;

/**
 * Activities against the service's own database, and messages to another saga: local (milliseconds, one marker in the
 * history) for up to 3 s, and after that the same idempotent function as a regular activity, so that a database that is
 * down neither blocks the workflow's handlers nor hides from the operator. `patience` bounds the regular one; without
 * it, it never gives up.
 * `onTrouble` hears of a step that goes on as a regular one.
 */
export function ownDatabase<A extends UntypedActivities>({
  patience,
  onTrouble,
}: {
  readonly patience?: string;
  readonly onTrouble?: (step: string, error: unknown) => void;
} = {}): ActivityInterfaceFor<A> {
  const local = proxyLocalActivities<UntypedActivities>({
    scheduleToCloseTimeout: '3s',
    retry: { initialInterval: '50ms', maximumInterval: '500ms', maximumAttempts: LOCAL_ATTEMPTS },
  });
  const regular = proxyActivities<UntypedActivities>({
    startToCloseTimeout: '10s',
    ...(patience === undefined ? {} : { scheduleToCloseTimeout: patience }),
    retry: { initialInterval: '200ms', maximumInterval: '5s' },
  });
  return new Proxy({} as ActivityInterfaceFor<A>, {
    get: (_target, name: string) => {
      const options = { summary: inWords(name) };
      return async (...args: unknown[]): Promise<unknown> => {
        try {
          // To its end: it is short, and a ride must not go on while a step of it may still be committed.
          return await CancellationScope.nonCancellable(() => local[name]!.executeWithOptions(options, args));
        } catch (error) {
          if (isFinal(error)) throw error;
          onTrouble?.(name, causeOf(error));
          return await regular[name]!.executeWithOptions(options, args);
        }
      };
    },
  });
}

/** `assign driver` for `assignDriver`: what the web UI shows beside the activity. */
const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The refusal of the domain inside a failed activity, if that is what it was. */
export function refusalIn(error: unknown): ApplicationFailure | undefined {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.nonRetryable ? cause : undefined;
}

/** What an activity failed with, or timed out of. */
export const causeOf = (error: unknown): unknown =>
  error instanceof ActivityFailure ? (error.cause ?? error) : error;

/** Whether trying again is not wanted. */
export const isFinal = (error: unknown): boolean => isCancellation(error) || refusalIn(error) !== undefined;
