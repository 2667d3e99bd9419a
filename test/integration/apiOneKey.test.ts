import { freshKey } from '../support/api';
import { apiStory } from '../support/apiStory';
import { eventually } from '../support/rideSaga';

jest.setTimeout(120_000);

const story = apiStory();

const REQUESTS = 1_000;

test(`${REQUESTS} requests at once with one key are one ride with one answer`, async () => {
  const { token } = await story.api.quote('rider-1');
  const key = freshKey();
  const before = await story.written();
  const answers = await Promise.all(Array.from({ length: REQUESTS }, () => story.requestRide(token, key)));
  // Who was too late for the deadline of a busy machine is told to repeat, and gets the same answer then.
  const late = answers.filter(({ status }) => status === 503);
  expect(late.every(({ headers }) => headers.get('retry-after') !== null)).toBe(true);
  const repeated = [];
  for (let i = 0; i < late.length; i += 1) repeated.push(await story.requestRide(token, key));
  const accepted = [...answers.filter(({ status }) => status !== 503), ...repeated];
  expect(accepted.filter(({ status }) => status !== 201)).toEqual([]);
  expect(new Set(accepted.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  const after = await story.written();
  expect({ claims: after['claims'], rides: after['rides'] }).toEqual({
    claims: before['claims']! + 1,
    rides: before['rides']! + 1,
  });
  // What the server lists may be a moment behind.
  const started = await eventually(async () => {
    const ids: string[] = [];
    for await (const { workflowId } of story.api.temporal.workflow.list({ query: `WorkflowType = 'ride'` }))
      ids.push(workflowId);
    return ids.length > 0 ? ids : undefined;
  });
  expect(started).toEqual([`ride-${accepted[0]!.body.rideId}`]);
});
