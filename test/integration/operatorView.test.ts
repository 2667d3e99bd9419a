import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { rideWorkflowId, searchAttributes } from '../../domain/names';
import { apiStory, rider } from '../support/apiStory';
import { cardOf } from '../support/card';
import { eventually } from '../support/rideSaga';
import { stuckLines } from '../../tools/cli/rides';

jest.setTimeout(30_000);

// A look at the stuck every second; a second of a quoted duration is a thousandth of one, so that rides are late soon.
const story = apiStory({ policies: { stuckCheckMs: 1_000, quotedSecondMs: 1 } });
const { newRide, onlineDriver, assignedRide, drivenRide, act } = story;

const handleOf = (rideId: string) => story.api.temporal.workflow.getHandle(rideWorkflowId(rideId));

/** The ids of the workflows that a list query finds, once it finds some. */
const found = (query: string): Promise<string[]> =>
  eventually(async () => {
    const ids: string[] = [];
    for await (const { workflowId } of story.api.temporal.workflow.list({ query })) ids.push(workflowId);
    return ids.length > 0 ? ids : undefined;
  });

async function refusal(rideId: string, update: string, argument?: unknown): Promise<ApplicationFailure> {
  const error: unknown = await handleOf(rideId)
    .executeUpdate(update, { args: [argument] })
    .then(
      () => 'taken',
      (reason: unknown) => reason,
    );
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  return error.cause as ApplicationFailure;
}

test('a ride is found by what an operator knows of it', async () => {
  await onlineDriver('found-1');
  const rideId = await assignedRide(['driver', 'found-1']);
  const { status, driverId, riderId, product, region, pickupHour } = searchAttributes;
  expect(await found(`${driverId.name} = 'found-1' and ${status.name} = 'with_driver'`)).toEqual([
    rideWorkflowId(rideId),
  ]);
  expect(await found(`${riderId.name} = 'rider-1' and ${product.name} = 'standard'`)).toContain(
    rideWorkflowId(rideId),
  );
  const {
    memo,
    staticSummary,
    searchAttributes: all,
  } = (await handleOf(rideId).describe()) as unknown as {
    memo: object;
    staticSummary: () => Promise<string>;
    searchAttributes: Record<string, unknown[]>;
  };
  expect(memo).toMatchObject({ rideId });
  expect(all[region.name]).toEqual([expect.stringMatching(/^83[0-9a-f]+$/)]);
  expect(await staticSummary()).toMatch(/^standard ride, USD \d+\.\d\d, cash$/);
  expect(all[pickupHour.name]).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d$/)]);
  await act(rideId, 'cancel', rider, {});
  expect(await found(`${status.name} = 'cancelled' and ${driverId.name} = 'found-1'`)).toEqual([
    rideWorkflowId(rideId),
  ]);
});

test('its card says where it is, since when, what it waits for, what failed and what to do', async () => {
  const driver = await onlineDriver('card-1');
  const rideId = await assignedRide(driver);
  const card = await cardOf(handleOf(rideId));
  expect(card).toMatch(/\*\*assigned\*\* \(version 3\), since 20\d\d-/);
  expect(card).toContain('waits for: the driver to arrive at the pickup');
  expect(card).toContain('driver: `card-1`');
  expect(card).toContain('last failure: none');
});

test('a ride that waits too long is found as stuck, and as no longer stuck when it has gone on', async () => {
  const driver = await onlineDriver('stuck-1');
  const rideId = await assignedRide(driver);
  const stuck = (is: boolean) =>
    found(`${searchAttributes.stuck.name} = ${is} and WorkflowId = '${rideWorkflowId(rideId)}'`);
  expect(await stuck(true)).toHaveLength(1);
  expect(await cardOf(handleOf(rideId))).toContain('next action: call the driver');
  const sources = {
    apiUrl: story.api.url,
    token: await story.api.token('operator', 'op-1'),
    temporal: story.api.temporal,
    temporalUiUrl: 'http://ui.example',
  };
  const [line] = await stuckLines(sources);
  expect(line).toContain(`${rideId} is assigned since 20`);
  expect(line).toContain('next: call the driver; override the arrival, or reassign');
  expect(line).toMatch(new RegExp(`http://ui.example/namespaces/api-[0-9a-f-]+/workflows/ride-${rideId}$`));
  // The API, an hour behind, does not know of it yet; it says so itself.
  story.api.clockMs = -3_600_000;
  const [told] = await stuckLines(sources).finally(() => (story.api.clockMs = 0));
  expect(told).toContain(`ride-${rideId} is stuck\n  assigned (version 3), since 20`);
  expect(told).toContain('\n  next action: call the driver; override the arrival, or reassign\n');
  await act(rideId, 'arrive', driver, { position: { lat: 40.73, lng: -73.99 } });
  expect(await stuck(false)).toHaveLength(1);
});

describe('an Update from the web UI', () => {
  test.each<[string, unknown]>([
    ['reassign', undefined],
    ['reassign', 'please'],
    ['reassign', { reason: 'no driver named' }],
    ['adjustFare', { totalMinor: '900', reason: 'a text' }],
    ['forceComplete', { reason: '' }],
    ['cancel', { by: 'me', reason: 'x' }],
    ['endEarly', null],
    ['arrive', { driverId: 7 }],
    ['arrive', { driverId: 'd', by: 'me' }],
    ['adjustFare', { totalMinor: 0.5, reason: 'x' }],
    ['acceptRoute', undefined],
    ['withdrawRoute', {}],
  ])('%s of %j is refused with what it takes, and the ride goes on', async (update, argument) => {
    const rideId = await newRide();
    const refused = await refusal(rideId, update, argument);
    expect(refused.type).toBe('argument_not_valid');
    expect(refused.message).toContain(`The Update ${update} takes:`);
    expect((await act(rideId, 'cancel', rider, {})).body).toMatchObject({ status: 'cancelled' });
  });

  test('that the state forbids is refused with the reason', async () => {
    const rideId = await newRide();
    const refused = await refusal(rideId, 'forceComplete', { reason: 'phone is dead' });
    expect(refused.type).toBe('illegal_transition');
    expect(refused.message).toMatch(/A ride that is \w+ cannot force complete/);
  });

  test('whose fact could not be kept is refused, and holds up nothing', async () => {
    const rideId = await drivenRide(await onlineDriver('rubbish-1'));
    const refused = await refusal(rideId, 'proposeRoute', { change: {} });
    expect(refused.type).toBe('argument_not_valid');
    const ended = await handleOf(rideId).executeUpdate('endEarly', {
      args: [{ by: 'operator', reason: 'accident' }],
    });
    expect(ended).toMatchObject({ status: 'completed', chargeMinor: expect.any(Number) });
  });

  test('retry and skip are refused where nothing is parked', async () => {
    const rideId = await newRide();
    for (const update of ['retryCompensation', 'skipCompensation'])
      expect((await refusal(rideId, update)).type).toBe('nothing_parked');
  });
});
