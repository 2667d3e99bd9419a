import { WorkflowUpdateFailedError } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { paymentWorkflowId, rideWorkflowId, taskQueues, workflowTypes } from '../../../domain/names';
import type { PaymentStart } from '../../../domain/sagas';
import { wait } from '../../../platform/wait';
import { deeds, type Cast } from './deeds';
import { tellProvider } from './provider';
import type { Doing, Move, Story } from './story';
import type { World } from './world';

/** A story that was played. */
export interface Played {
  readonly cast: Cast;
  /** What happened, a line each. */
  readonly log: readonly string[];
  /** What nobody has answered. */
  readonly unanswered: readonly string[];
  readonly isOver: boolean;
}

/** How long whoever asks is waited for before the next move comes. */
const patienceMs = 1_500;
const pauseMs = 100;
const answersWithinMs = 20_000;
/** What is left undone for so long, with an operator's care every so often, stays so. */
const endsWithinMs = 60_000;
const careEveryMs = 3_000;
/** It is tried again at first, given up then, and left at last. */
const care = ['operator retries', 'operator waives', 'operator skips'] as const;

/** Plays a story to its end. Whoever is asked for something that cannot be refuses: that is no fault. */
export async function playStory(world: World, story: Story): Promise<Played> {
  const rideId = uuidv7();
  const provider = await world.openProvider(rideId);
  const handle = world.client.workflow.getHandle(paymentWorkflowId(rideId));
  const cast: Cast = {
    world,
    provider,
    story,
    rideId,
    handle,
    outcome: undefined,
    tips: [],
    refunds: new Map(),
    keys: 0,
    wrong: [],
  };
  const log: string[] = [];
  const waiting = new Map<Promise<void>, string>();
  const isOpen = async (): Promise<boolean> => (await handle.describe()).status.name === 'RUNNING';

  function act(what: Doing, move: Move): void {
    const asked = `${what}${move.amountMinor > 0 ? ` ${move.amountMinor}` : ''}`;
    const done = deeds[what](cast, move).then(
      (answer) => void log.push(`${asked}: ${JSON.stringify(answer) ?? 'done'}`),
      (error: unknown) => {
        const words = wordsOf(error);
        log.push(`${asked}: refused, ${words}`);
        // What cannot be was, and told to who asked.
        if (words.includes('impossible')) cast.wrong.push(`${asked}: ${words}`);
      },
    );
    waiting.set(done, asked);
    void done.finally(() => waiting.delete(done));
  }
  async function befall({ faults }: Move): Promise<void> {
    for (const body of faults) {
      log.push(`fault ${JSON.stringify(body)}`);
      await tellProvider(provider.url, '/faults', { body });
    }
  }
  const settle = (): Promise<unknown> =>
    within(patienceMs, Promise.all(waiting.keys())).then(() => wait(pauseMs));

  const [opening, ...moves] = story.moves;
  await befall(opening!);
  await startPayment(world, story, rideId);
  if (opening!.isWaitedFor) await settle();
  for (const move of moves) {
    await befall(move);
    act(move.what, move);
    if (move.isWaitedFor) await settle();
  }
  await settle();
  await tellProvider(provider.url, '/faults', { method: 'DELETE' });
  const deadline = Date.now() + endsWithinMs;
  for (let round = 0; (await isOpen()) && Date.now() < deadline; round += 1) {
    act(care[round % care.length]!, { ...opening!, coin: true });
    await within(
      careEveryMs,
      handle.result().catch(() => undefined),
    );
  }
  // Whoever asks a workflow that is over is told so.
  await within(answersWithinMs, Promise.all(waiting.keys()));
  return { cast, log, unanswered: [...waiting.values()], isOver: !(await isOpen()) };
}

async function startPayment(world: World, story: Story, rideId: string): Promise<void> {
  const { method, fallbacks, heldMinor: amountMinor, currency } = story;
  // Each story has a provider of its own, which knows no other story's customers.
  const order = { rideId, riderId: `rider-of-${rideId}`, method, fallbacks, amountMinor, currency };
  const start: PaymentStart = { order, policies: world.policies, rideWorkflowId: rideWorkflowId(rideId) };
  await world.client.workflow.start(workflowTypes.payment, {
    workflowId: paymentWorkflowId(rideId),
    taskQueue: taskQueues.payments,
    args: [start],
  });
}

/** Waits for something, so long at most. */
async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([done, wait(ms, over.signal)]);
  over.abort();
}

function wordsOf(error: unknown): string {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
