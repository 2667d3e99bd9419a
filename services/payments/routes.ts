import { createHash } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { operations } from '../../contracts/api/operations';
import { refusalIn } from '../../contracts/api/problems';
import type { RefundView, TipView } from '../../contracts/api/rides';
import { DomainError } from '../../domain/errors';
import { paymentUpdates, paymentWorkflowId } from '../../domain/names';
import type { Ride } from '../../domain/ride';
import type { Refund, RefundOrder, Tip } from '../../domain/sagas';
import { DependencyUnavailable } from '../../platform/errors';
import type { Caller, MountOperation } from '../../platform/http';

export interface PaymentRoutesOptions {
  readonly temporal: Client;
  /** The ride, if the caller may see it; rejects with `ride_not_found` otherwise. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
  /** How long a payment may take to answer until the caller is told to repeat, in milliseconds. */
  readonly deadlineMs: number;
}

/** Tips by riders and refunds by operators: both are asked of the payment's workflow. Both are safe to repeat. */
export function createPaymentRoutes(mount: MountOperation, options: PaymentRoutesOptions): void {
  const { rideOf } = options;

  mount(operations.tipRide, async ({ params, body, caller }) => {
    const { rideId, status } = await rideOf(caller, params.rideId);
    if (status !== 'completed')
      throw new DomainError('tip_not_possible', 'A tip goes with a completed ride.', { status });
    const tip = await ask<{ tipMinor: number; currency: string }, Tip>(options, {
      rideId,
      update: 'tip',
      argument: { amountMinor: body.amountMinor },
      whenOver: new DomainError(
        'tip_not_possible',
        'The time for a tip is over, or nothing was paid by card.',
      ),
    });
    return { status: 200, body: { rideId, ...tip } satisfies TipView };
  });

  mount(operations.refundRide, async ({ params, headers, body, caller }) => {
    const { rideId } = await rideOf(caller, params.rideId);
    // A key belongs to who made it.
    const order = { refundKey: `${caller.sub}:${headers['idempotency-key']}`, ...body };
    const refund = await ask<Refund, RefundOrder>(options, {
      rideId,
      update: 'refund',
      argument: order,
      // The server remembers an Update by its id for a while after the workflow is over.
      updateId: createHash('sha256').update(JSON.stringify(order)).digest('hex'),
      whenOver: new DomainError(
        'refund_not_possible',
        'The time for refunds is over, or nothing was captured.',
      ),
    });
    return { status: 201, body: { rideId, ...refund } satisfies RefundView };
  });
}

interface Ask<Argument> {
  readonly rideId: string;
  readonly update: keyof typeof paymentUpdates;
  readonly argument: Argument;
  readonly updateId?: string;
  /** The answer of a payment whose workflow has ended. */
  readonly whenOver: DomainError;
}

async function ask<Answer, Argument>(
  { temporal, deadlineMs }: PaymentRoutesOptions,
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
