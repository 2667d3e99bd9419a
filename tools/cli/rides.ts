import type { Client } from '@temporalio/client';
import { stuckRides, type StuckRides } from '../../contracts/api/ops';
import { searchAttributes } from '../../domain/names';
import { UsageError } from '../commandLine';
import { textOptions } from './arguments';
import {
  asOperator,
  cardLines,
  getFromApi,
  linkTo,
  operatorOptions,
  paragraph,
  printLines,
  type OperatorSources,
} from './operatorApi';

/**
 * `npx hailway rides stuck`: what waits longer than its state allows, with the link to the reason and what to do.
 * @returns 0 when nothing is stuck, 1 when something is, or when nobody can say
 */
export async function rides(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [what, ...rest] = argv;
  if (what !== 'stuck') throw new UsageError('rides takes: stuck');
  return asOperator(textOptions(rest, operatorOptions), env, async (sources) =>
    (await printLines(await stuckLines(sources), 'Nothing is stuck.')) ? 1 : 0,
  );
}

/**
 * A paragraph for each: rides that wait too long, by the rides database, then workflows that say themselves that they
 * are stuck, by Temporal's visibility: a parked payment, or a ride that has just waited too long.
 */
export async function stuckLines(sources: OperatorSources): Promise<string[]> {
  const { rides: overdue } = await getFromApi(sources, '/v1/ops/rides/stuck', {}, stuckRides);
  const told = new Set(overdue.map(({ workflowId }) => workflowId));
  const stuck = await stuckWorkflows(sources.temporal);
  return [
    ...overdue.map((ride) => describeRide(ride, linkTo(sources, ride.workflowId))),
    ...(await Promise.all(
      stuck
        .filter((workflowId) => !told.has(workflowId))
        .map(async (workflowId) => {
          const card = await cardLines(sources.temporal, workflowId);
          return paragraph(`${workflowId} is stuck`, [...card, linkTo(sources, workflowId)]);
        }),
    )),
  ];
}

async function stuckWorkflows(temporal: Client): Promise<string[]> {
  const query = `${searchAttributes.stuck.name} = true and ExecutionStatus = 'Running'`;
  const ids: string[] = [];
  for await (const { workflowId } of temporal.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

const describeRide = (ride: StuckRides['rides'][number], link: string): string =>
  paragraph(`${ride.rideId} is ${ride.status} since ${ride.since}`, [
    `waits for ${ride.waitsFor}, ${inWords(ride.overdueMs)} longer than allowed`,
    ...(ride.driverId === null ? [] : [`driver: ${ride.driverId}`]),
    `next: ${ride.action}`,
    link,
  ]);

function inWords(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.ceil(ms / 1_000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
