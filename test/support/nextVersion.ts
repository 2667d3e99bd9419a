import { defineQuery, setHandler } from '@temporalio/workflow';
import type { RideStart } from '../../domain/sagas';
import { ride as today } from '../../workflows';

export { payment, scheduledRide } from '../../workflows';

/** The rides of a later version, which is told from today's by a query. */
export async function ride(start: RideStart): Promise<unknown> {
  setHandler(defineQuery('version'), () => 'next');
  return today(start);
}
