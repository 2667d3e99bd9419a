import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import { problem } from '../../contracts/api/problems';
import { createTemporalClient } from '../../platform/temporal';
import { hasIssuer, openIssuer } from '../stack/issuer';
import { UsageError } from '../commandLine';
import { configOf, dataDirOf } from './addresses';

const API_DEADLINE_MS = 10_000;
const CARD_DEADLINE_MS = 5_000;

/** What an operator's commands ask: the API, and Temporal for what only a workflow knows. */
export interface OperatorSources {
  readonly apiUrl: string;
  /** Of an operator: one that lasts, or where the next request gets its own. */
  readonly token: string | (() => Promise<string>);
  readonly temporal: Client;
  readonly temporalUiUrl: string;
}

/** The options of each command that asks the API: where the token comes from. */
export const operatorOptions = ['data-dir', 'token'] as const;

/**
 * Runs a command that asks as an operator: with the token that is given, or with one of the issuer of the stack on the
 * data directory. What it cannot be told is one line on stderr.
 * @returns the command's exit code, or 1 where it failed
 * @throws UsageError without a token and a stack
 */
export async function asOperator(
  options: { readonly 'data-dir'?: string; readonly token?: string },
  env: NodeJS.ProcessEnv,
  command: (sources: OperatorSources) => Promise<number>,
): Promise<number> {
  const config = configOf(env);
  const dataDir = dataDirOf(options, env);
  if (!options.token && !hasIssuer(dataDir))
    throw new UsageError(`no stack was started on ${dataDir}: name its --data-dir, or give a --token`);
  const token = options.token ?? (await minting(dataDir));
  const temporal = createTemporalClient({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
  });
  try {
    return await command({
      apiUrl: config.GATEWAY_URL,
      token,
      temporal,
      temporalUiUrl: config.HAILWAY_TEMPORAL_UI_URL,
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    process.stderr.write(`hailway: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await temporal.connection.close();
  }
}

/** A token for each request: a command may take longer than one lasts. */
async function minting(dataDir: string): Promise<() => Promise<string>> {
  const issuer = await openIssuer(dataDir);
  return () => issuer.mintToken({ role: 'operator', sub: 'cli', ttlSeconds: 60 });
}

const authorizationOf = async (token: OperatorSources['token']): Promise<{ authorization: string }> => ({
  authorization: `Bearer ${typeof token === 'string' ? token : await token()}`,
});

/** The API has answered with something else than 2xx. */
export class ApiRefused extends Error {
  override readonly name = 'ApiRefused';
  /** What it said of why; undefined where the answer is nothing of ours, as that of a proxy. */
  readonly problem: z.infer<typeof problem> | undefined;

  constructor(status: number, body: string) {
    super(`the API answered ${status}: ${body}`);
    this.problem = asProblem(body);
  }
}

function asProblem(body: string): z.infer<typeof problem> | undefined {
  try {
    return problem.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** What the API answers. @throws ApiRefused */
export async function getFromApi<T extends z.ZodType>(
  { apiUrl, token }: Pick<OperatorSources, 'apiUrl' | 'token'>,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  response: T,
): Promise<z.infer<T>> {
  const url = new URL(path, apiUrl);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return ask(url, { headers: await authorizationOf(token) }, response);
}

/** Tells the API to do something. @param deadlineMs how long that may take (10 s) @throws as `getFromApi` */
export const postToApi = async <T extends z.ZodType>(
  { apiUrl, token }: Pick<OperatorSources, 'apiUrl' | 'token'>,
  path: string,
  body: object,
  response: T,
  deadlineMs?: number,
): Promise<z.infer<T>> =>
  ask(
    new URL(path, apiUrl),
    {
      method: 'POST',
      headers: { ...(await authorizationOf(token)), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
    response,
    deadlineMs,
  );

async function ask<T extends z.ZodType>(
  url: URL,
  request: RequestInit,
  response: T,
  deadlineMs = API_DEADLINE_MS,
): Promise<z.infer<T>> {
  const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(deadlineMs) });
  if (!answer.ok) throw new ApiRefused(answer.status, await answer.text());
  return response.parse(await answer.json());
}

/** A list of the API, page by page. @throws as `getFromApi` */
export async function* pagesFromApi<T extends z.ZodType<{ readonly next: string | null }>>(
  sources: Pick<OperatorSources, 'apiUrl' | 'token'>,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  response: T,
): AsyncGenerator<z.infer<T>> {
  let after: string | undefined;
  do {
    const page = await getFromApi(sources, path, { ...query, after }, response);
    yield page;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** Prints each line when it comes, or `none` where none does. @returns whether one came */
export async function printLines(
  lines: Iterable<string> | AsyncIterable<string>,
  none: string,
): Promise<boolean> {
  let any = false;
  for await (const line of lines) {
    any = true;
    process.stdout.write(`${line}\n`);
  }
  if (!any) process.stdout.write(`${none}\n`);
  return any;
}

/** What a workflow's card says, without its markup. The card comes from a worker, which may be away. */
export async function cardLines(temporal: Client, workflowId: string): Promise<string[]> {
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

export const paragraph = (head: string, lines: readonly string[]): string => [head, ...lines].join('\n  ');

/** The page of a workflow in Temporal's web UI. */
export const linkTo = (
  { temporal, temporalUiUrl }: Pick<OperatorSources, 'temporal' | 'temporalUiUrl'>,
  workflowId: string,
): string => new URL(`/namespaces/${temporal.options.namespace}/workflows/${workflowId}`, temporalUiUrl).href;
