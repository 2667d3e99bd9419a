import { createHash } from 'node:crypto';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WithStartWorkflowOperation,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { refusalIn } from '../../../contracts/api/problems';
import type { DomainError } from '../../../domain/errors';
import {
  lateRefundsWorkflowId,
  paymentUpdates,
  paymentWorkflowId,
  taskQueues,
  workflowTypes,
} from '../../../domain/names';
import type { Payment } from '../../../domain/payment';
import type { LateRefundsStart, OperatorsWord } from '../../../domain/sagas';
import { DependencyUnavailable } from '../../../platform/errors';

export interface AskPaymentOptions {
  readonly temporal: Client;
  /** How long a payment may take to answer until the caller is told to repeat, in milliseconds. */
  readonly deadlineMs: number;
}

export interface Ask<Argument, Answer = unknown> {
  readonly rideId: string;
  readonly update: keyof typeof paymentUpdates;
  readonly argument: Argument;
  readonly updateId?: string;
  /** Answers for a payment whose workflow has ended, or refuses. */
  readonly whenOver: () => Answer | Promise<Answer>;
}

/**
 * Asks the workflow of a ride's payment by an Update.
 * @throws DomainError what it refuses; DependencyUnavailable where it does not answer in time: it may still do it
 */
export async function askPayment<Answer, Argument>(
  options: AskPaymentOptions,
  { rideId, update, argument, updateId, whenOver }: Ask<Argument, Answer>,
): Promise<Answer> {
  const asked = await outcomeOf(options, () =>
    ofPayment(options, rideId).executeUpdate<Answer, [Argument]>(paymentUpdates[update], {
      args: [argument],
      ...(updateId === undefined ? {} : { updateId }),
    }),
  );
  return asked === undefined ? whenOver() : answerOrRefusal(asked);
}

/**
 * The same once for each argument: a repeat gets the answer that the server has kept. It keeps a refusal, too: what was
 * refused is asked for again, as another Update.
 */
export async function askOnce<Answer, Argument>(
  options: AskPaymentOptions,
  ask: Omit<Ask<Argument, Answer>, 'updateId'>,
): Promise<Answer> {
  const { rideId, argument } = ask;
  for (let refusals = 0; ; refusals += 1) {
    const updateId = hashOf({ argument, refusals });
    const before = await askedBefore<Answer>(options, { rideId, updateId });
    if (before === undefined) return askPayment(options, { ...ask, updateId });
    if ('answer' in before) return before.answer;
  }
}

/** As the id of an Update. */
export const hashOf = (value: object): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex');

/**
 * The same of the workflow that is begun for the refunds of a payment whose own is over.
 * @throws DomainError what it refuses; DependencyUnavailable where it does not answer in time: it may still do it
 */
export async function askLateRefunds(
  options: AskPaymentOptions,
  start: LateRefundsStart,
  word: OperatorsWord,
): Promise<Payment> {
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowTypes.lateRefunds, {
    workflowId: lateRefundsWorkflowId(start.rideId),
    taskQueue: taskQueues.payments,
    args: [start],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const asked = await outcomeOf<Payment>(options, () =>
    options.temporal.workflow.executeUpdateWithStart(paymentUpdates.markResolved, {
      startWorkflowOperation,
      args: [word],
    }),
  );
  if (asked === undefined) throw new Error(`impossible: ${start.rideId} has no workflow that was just begun`);
  return answerOrRefusal(asked);
}

/** @throws DomainError the refusal */
export function answerOrRefusal<Answer>(asked: UpdateOutcome<Answer>): Answer {
  if ('refused' in asked) throw asked.refused;
  return asked.answer;
}

/**
 * What became of an Update that was asked for before; undefined where the payment, or the server by now, knows of none.
 * One that is under way is waited for.
 * @throws DependencyUnavailable where that takes too long
 */
export const askedBefore = <Answer>(
  options: AskPaymentOptions,
  { rideId, updateId }: { readonly rideId: string; readonly updateId: string },
): Promise<UpdateOutcome<Answer> | undefined> =>
  outcomeOf(options, () => ofPayment(options, rideId).getUpdateHandle<Answer>(updateId).result());

export type UpdateOutcome<Answer> = { readonly answer: Answer } | { readonly refused: DomainError };

const ofPayment = ({ temporal }: AskPaymentOptions, rideId: string): WorkflowHandle =>
  temporal.workflow.getHandle(paymentWorkflowId(rideId));

/**
 * What an Update is answered, or undefined where there is no workflow that could.
 * @param whom who is asked, in words
 * @throws DependencyUnavailable where it does not answer in time: it may still do it
 */
export async function outcomeOf<Answer>(
  { temporal, deadlineMs }: AskPaymentOptions,
  ask: () => Promise<Answer>,
  whom = 'payment',
): Promise<UpdateOutcome<Answer> | undefined> {
  try {
    return { answer: await temporal.withDeadline(Date.now() + deadlineMs, ask) };
  } catch (error) {
    const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    const refused = refusal instanceof ApplicationFailure ? refusalIn(refusal) : undefined;
    if (refused) return { refused };
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw new DependencyUnavailable(`the workflow of the ${whom}`, { cause: error });
  }
}
