import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { refusalIn } from '../../../contracts/api/problems';
import type { DomainError } from '../../../domain/errors';
import { paymentUpdates, paymentWorkflowId } from '../../../domain/names';
import { DependencyUnavailable } from '../../../platform/errors';

export interface AskPaymentOptions {
  readonly temporal: Client;
  /** How long a payment may take to answer until the caller is told to repeat, in milliseconds. */
  readonly deadlineMs: number;
}

export interface Ask<Argument> {
  readonly rideId: string;
  readonly update: keyof typeof paymentUpdates;
  readonly argument: Argument;
  readonly updateId?: string;
  /** The answer of a payment whose workflow has ended. */
  readonly whenOver: DomainError;
}

/**
 * Asks the workflow of a ride's payment by an Update.
 * @throws DomainError what it refuses; DependencyUnavailable where it does not answer in time: it may still do it
 */
export async function askPayment<Answer, Argument>(
  { temporal, deadlineMs }: AskPaymentOptions,
  { rideId, update, argument, updateId, whenOver }: Ask<Argument>,
): Promise<Answer> {
  try {
    return await temporal.withDeadline(Date.now() + deadlineMs, () =>
      temporal.workflow
        .getHandle(paymentWorkflowId(rideId))
        .executeUpdate<Answer, [Argument]>(paymentUpdates[update], {
          args: [argument],
          ...(updateId === undefined ? {} : { updateId }),
        }),
    );
  } catch (error) {
    const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    const refused = refusal instanceof ApplicationFailure ? refusalIn(refusal) : undefined;
    if (refused) throw refused;
    if (error instanceof WorkflowNotFoundError) throw whenOver;
    throw new DependencyUnavailable('the workflow of the payment', { cause: error });
  }
}
