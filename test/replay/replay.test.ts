import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { paymentWorkflowId, rideWorkflowId } from '../../domain/names';
import { bundleOf, todaysWorkflows } from '../support/bundles';
import { carriers, earlierDir, readHistories, type Carrier } from './histories';
import { laterWays } from './laterWays';
import { moneyWays } from './moneyWays';
import { ways } from './ways';

/**
 * The replay gate: today's workflows go every recorded way as it was gone. It sees activities that were renamed, added,
 * removed or swapped, not changed arguments or results; so each transition has an activity of its own name.
 */
const recorded = readHistories();
const earlier = readHistories(earlierDir);

interface RecordedEvent {
  readonly eventType: string;
  readonly userMetadata?: { readonly summary?: object };
  readonly markerRecordedEventAttributes?: { readonly markerName: string };
}

const isPatch = (event: RecordedEvent): boolean =>
  event.markerRecordedEventAttributes?.markerName === 'core_patch';

/** The workflows that do not replay, with the reason. */
async function replay(interceptors: readonly string[] = []): Promise<Map<string, Error>> {
  const workflowBundle = await bundleOf(todaysWorkflows, interceptors);
  const histories = [...recorded, ...earlier].flatMap(([name, recordings]) =>
    Object.entries(recordings).map(([carrier, history]) => ({
      workflowId: carriers[carrier as Carrier](name),
      history,
    })),
  );
  const failures = new Map<string, Error>();
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    if (error) failures.set(workflowId, error);
  }
  return failures;
}

test('every way that a workflow can go is recorded', () => {
  expect(recorded.size).toBeGreaterThanOrEqual(25);
  expect([...recorded.keys()].sort()).toEqual(Object.keys({ ...ways, ...moneyWays, ...laterWays }).sort());
});

test('histories tell nothing of the machine that they were recorded on', () => {
  for (const history of [...recorded.values(), ...earlier.values()]) {
    expect(JSON.stringify(history)).not.toMatch(/\d+@[\w-]+|\/(home|root|tmp|work|Users)\//);
  }
});

test('every timer and activity says what it is for', () => {
  const tasks = new Set(
    ['TIMER_STARTED', 'ACTIVITY_TASK_SCHEDULED', 'MARKER_RECORDED'].map((t) => `EVENT_TYPE_${t}`),
  );
  for (const [name, recordings] of recorded) {
    const events = Object.values(recordings).flatMap(
      (history) => (history as { events: RecordedEvent[] }).events,
    );
    const silent = events.filter(
      (event) => tasks.has(event.eventType) && !event.userMetadata?.summary && !isPatch(event),
    );
    expect({ name, silent }).toEqual({ name, silent: [] });
  }
});

test('a normal payment by card takes at most 20 events', () => {
  const { payment } = recorded.get('completed') as { payment: { events: unknown[] } };
  expect(payment.events.length).toBeLessThanOrEqual(20);
});

test('today’s workflows replay every recorded history', async () => {
  expect(await replay()).toEqual(new Map());
}, 120_000);

test('a change that would break open rides is found', async () => {
  const failures = await replay([require.resolve('./renamed')]);
  const cancelled = [...failures.keys()].filter((workflowId) => workflowId.startsWith('ride-'));
  expect(cancelled).toContain(rideWorkflowId('rider-cancels-matching'));
  expect(cancelled).not.toContain(rideWorkflowId('completed'));
  expect([...failures.keys()]).toContain(paymentWorkflowId('completed'));
  expect([...failures.keys()]).not.toContain(paymentWorkflowId('rider-cancels-matching'));
  for (const error of failures.values()) expect(error).toBeInstanceOf(DeterminismViolationError);
}, 120_000);
