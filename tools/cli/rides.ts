import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { stuckRides, type StuckRides } from '../../contracts/api/ops';
import { searchAttributes } from '../../domain/names';
import { loadConfig } from '../../platform/config';
import { createTemporalClient } from '../../platform/temporal';
import { hasIssuer, openIssuer } from '../stack/issuer';
import { UsageError } from '../stack/options';
import { defaultDataDir } from '../stack/places';
import { textOptions } from './arguments';

const CARD_DEADLINE_MS = 5_000;

/** What is asked for what is stuck. */
export interface StuckSources {
  readonly apiUrl: string;
  /** Of an operator. */
  readonly token: string;
  readonly temporal: Client;
  readonly temporalUiUrl: string;
}

/**
 * `npx hailway rides stuck`: what waits longer than its state allows, with the link to the reason and what to do.
 * @returns 0 when nothing is stuck, 1 when something is, or when nobody can say
 */
export async function rides(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [what, ...rest] = argv;
  if (what !== 'stuck') throw new UsageError('rides takes: stuck');
  const options = textOptions(rest, ['data-dir', 'token']);
  const config = loadConfig(env);
  const dataDir = resolve(options['data-dir'] ?? defaultDataDir(env));
  if (!options.token && !hasIssuer(dataDir)) {
    throw new UsageError(`no stack was started on ${dataDir}: name its --data-dir, or give a --token`);
  }
  const token =
    options.token ??
    (await (await openIssuer(dataDir)).mintToken({ role: 'operator', sub: 'cli', ttlSeconds: 60 }));
  const temporal = createTemporalClient({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
  });
  try {
    const lines = await stuckLines({
      apiUrl: config.GATEWAY_URL,
      token,
      temporal,
      temporalUiUrl: config.HAILWAY_TEMPORAL_UI_URL,
    });
    process.stdout.write(`${(lines.length > 0 ? lines : ['Nothing is stuck.']).join('\n')}\n`);
    return lines.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`hailway: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await temporal.connection.close();
  }
}

/**
 * A paragraph for each: rides that wait too long, by the rides database, then workflows that say themselves that they
 * are stuck, by Temporal's visibility: a parked payment, or a ride that has just waited too long.
 */
export async function stuckLines(sources: StuckSources): Promise<string[]> {
  const overdue = await overdueRides(sources);
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

async function overdueRides({ apiUrl, token }: StuckSources): Promise<StuckRides['rides']> {
  const response = await fetch(new URL('/v1/ops/rides/stuck', apiUrl), {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the API answered ${response.status}: ${await response.text()}`);
  return stuckRides.parse(await response.json()).rides;
}

async function stuckWorkflows(temporal: Client): Promise<string[]> {
  const query = `${searchAttributes.stuck.name} = true and ExecutionStatus = 'Running'`;
  const ids: string[] = [];
  for await (const { workflowId } of temporal.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

/** What a workflow's card says, without its markup. The card comes from a worker, which may be away. */
async function cardLines(temporal: Client, workflowId: string): Promise<string[]> {
  try {
    const { currentDetails } = await temporal.connection.withDeadline(Date.now() + CARD_DEADLINE_MS, () =>
      temporal.workflow
        .getHandle(workflowId)
        .query<{ currentDetails: string }>('__temporal_workflow_metadata'),
    );
    return currentDetails
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^- /, '').replaceAll('**', ''));
  } catch (error) {
    return [`its card cannot be read (${error instanceof Error ? error.message : String(error)})`];
  }
}

const describeRide = (ride: StuckRides['rides'][number], link: string): string =>
  paragraph(`${ride.rideId} is ${ride.status} since ${ride.since}`, [
    `waits for ${ride.waitsFor}, ${inWords(ride.overdueMs)} longer than allowed`,
    ...(ride.driverId === null ? [] : [`driver: ${ride.driverId}`]),
    `next: ${ride.action}`,
    link,
  ]);

const paragraph = (head: string, lines: readonly string[]): string => [head, ...lines].join('\n  ');

const linkTo = ({ temporal, temporalUiUrl }: StuckSources, workflowId: string): string =>
  new URL(`/namespaces/${temporal.options.namespace}/workflows/${workflowId}`, temporalUiUrl).href;

function inWords(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.ceil(ms / 1_000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
