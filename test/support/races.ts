import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { decideRide } from '../../domain/decideRide';
import { rideUpdates, rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import type { RideCommand, RideCommandType } from '../../domain/ride';
import type { Story } from './rideGround';
import { eventually, type RideSaga } from './rideSaga';

/** What somebody does to a ride: the Update that asks for it, and the command that it comes to. */
export interface Move {
  readonly update: keyof typeof rideUpdates;
  readonly command: RideCommandType;
  readonly argument?: object;
}

/** `done`, or the code of the refusal. */
export type Outcome = 'done' | (string & {});

/** What became of an Update. */
export async function outcomeOf(update: Promise<unknown>): Promise<Outcome> {
  try {
    await update;
    return 'done';
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
      return error.cause.type ?? 'no code';
    throw error;
  }
}

/**
 * Sends an Update to a workflow that is busy, and resolves when the server has it; what becomes of it comes later. One
 * that is sent after this is heard after it.
 */
export async function sendToBusy(
  saga: RideSaga,
  { rideId, driverId }: Story,
  { update, argument = {} }: Pick<Move, 'update' | 'argument'>,
): Promise<{ outcome: Promise<Outcome> }> {
  const updateId = randomUUID();
  const workflowId = rideWorkflowId(rideId);
  const outcome = outcomeOf(
    saga.client.workflow
      .getHandle(workflowId)
      .executeUpdate(rideUpdates[update], { updateId, args: [{ driverId, ...argument }] }),
  );
  await eventually(() => isAdmitted(saga, workflowId, updateId));
  return { outcome };
}

/**
 * Has two Updates heard in one task of the ride's workflow, the first before the second: both have come while it
 * records another step, of no consequence.
 */
export async function atOnce(saga: RideSaga, story: Story, moves: readonly Move[]): Promise<Outcome[]> {
  const sent: { outcome: Promise<Outcome> }[] = [];
  saga.before.adjustFare = async () => {
    for (const move of moves) sent.push(await sendToBusy(saga, story, move));
  };
  const { fare } = await saga.ride(story.rideId);
  await saga.update(story.rideId, 'adjustFare', { totalMinor: fare.totalMinor, reason: 'as it is' });
  return Promise.all(sent.map(({ outcome }) => outcome));
}

/**
 * Has the second decided while the first, of an attempt that was lost, is committed: whoever decided knew nothing of
 * it.
 */
export async function committedMeanwhile(
  saga: RideSaga,
  story: Story,
  [first, second]: readonly [Move, Move],
): Promise<Outcome[]> {
  const { rideId, driverId } = story;
  saga.before[second.command] = async ({ expectedVersion, fact: { at } }) => {
    const { command: type, argument } = first;
    const command = { driverId, ...argument, type, at } as RideCommand;
    await saga.activities.transitions[type]({
      stepId: `${rideId}/${type}/lost`,
      aggregateId: rideId,
      expectedVersion,
      fact: decideRide(command, await saga.ride(rideId), standardPolicies),
    });
  };
  const { outcome } = await sendToBusy(saga, story, second);
  return ['done', await outcome];
}

/** Whether the server has an Update that its workflow may not have heard yet. */
async function isAdmitted(saga: RideSaga, workflowId: string, updateId: string): Promise<true | undefined> {
  try {
    await saga.client.workflowService.pollWorkflowExecutionUpdate({
      namespace: saga.client.options.namespace,
      updateRef: { workflowExecution: { workflowId }, updateId },
    });
    return true;
  } catch (error) {
    const NOT_FOUND = 5;
    if ((error as { code?: number }).code === NOT_FOUND) return undefined;
    throw error;
  }
}
