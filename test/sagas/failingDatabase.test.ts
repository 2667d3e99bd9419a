import { rideWorkflowId } from '../../domain/names';
import { eventually, startRideSaga, type RideSaga } from '../support/rideSaga';

let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());

test('a step that the database refuses at once, again and again, goes on as a regular activity: it is seen, and others are heard', async () => {
  const { rideId, driverId } = await saga.assigned();
  await saga.pool.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
    create trigger refuse before insert on steps for each row
      when (new.fact_type = 'ride.driver_arrived') execute function refuse();`);
  const arriving = saga.update(rideId, 'arrive', { driverId });
  const { name } = await eventually(async () => {
    const { raw } = await saga.client.workflow.getHandle(rideWorkflowId(rideId)).describe();
    return raw.pendingActivities?.[0]?.activityType ?? undefined;
  });
  expect(name).toBe('arrive');
  await saga.pool.query('drop trigger refuse on steps');
  expect(await arriving).toMatchObject({ status: 'arrived' });
  await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
});
