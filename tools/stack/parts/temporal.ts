import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { runCommand, versionOf } from '../command';
import { cacheDir, isExecutable, onPath } from '../places';
import { isAtLeast, versions } from '../versions';
import { installOnce, messageOf, type Look, type PartSource, type Search } from './part';

/** A server that runs already, or Temporal's command line tool, whose `server start-dev` we run. */
export type TemporalPart = { readonly address: string } | { readonly binary: string };

const { cli, server, atLeast: least } = versions.temporal;
const nameInCache = `temporal-${cli}`;
const serverVersion = /Server (\d+\.\d+\.\d+)/;

export function temporalSource(search: Search): PartSource<TemporalPart> {
  const { env } = search;
  return {
    part: 'Temporal',
    places: [
      { name: 'TEMPORAL_ADDRESS', look: () => lookAtTemporal(env.TEMPORAL_ADDRESS) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'Go', look: () => buildWithGo(search), prospect: () => prospectOfGo(env) },
    ],
    remedies: [
      'set TEMPORAL_ADDRESS to host:port of a server',
      `install Temporal's CLI (server ${least} or later) and put \`temporal\` on the PATH`,
      'install Go 1.25 or later, with which it is built from source',
    ],
  };
}

export async function lookAtTemporal(address: string | undefined): Promise<Look<TemporalPart>> {
  if (!address) return { reason: 'not set' };
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: '5s' });
    const info = await connection.workflowService.getSystemInfo({});
    return { found: { address }, from: `server ${info.serverVersion} at ${address}` };
  } catch (error) {
    return { reason: `${address} does not answer: ${messageOf(error)}`, final: true };
  } finally {
    await connection?.close();
  }
}

async function lookOnPath(env: NodeJS.ProcessEnv): Promise<Look<TemporalPart>> {
  let reason = 'no temporal there';
  for (const binary of onPath('temporal', env)) {
    const version = await versionOf(binary, ['--version'], serverVersion);
    if (version === undefined) reason = `${binary} says no server's version`;
    else if (!isAtLeast(version, least)) reason = `${binary} is ${version}, too old (${least} is needed)`;
    else return { found: { binary }, from: `server ${version} from the PATH (${binary})` };
  }
  return { reason };
}

function lookInCache(env: NodeJS.ProcessEnv): Promise<Look<TemporalPart>> {
  const binary = join(cacheDir(env), nameInCache, 'temporal');
  return Promise.resolve(
    isExecutable(binary)
      ? { found: { binary }, from: `server ${server} from the cache (${binary})` }
      : { reason: `nothing at ${binary}` },
  );
}

function prospectOfGo(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const [go] = onPath('go', env);
  return Promise.resolve(
    go === undefined
      ? { reason: 'no go on the PATH' }
      : { found: go, from: 'not there yet; the first start builds it with Go, which takes minutes' },
  );
}

async function buildWithGo({ env, say, signal }: Search): Promise<Look<TemporalPart>> {
  const [go] = onPath('go', env);
  if (go === undefined) return { reason: 'no go on the PATH' };
  const folder = await installOnce(cacheDir(env), nameInCache, async (target) => {
    await say.during('Temporal: building from source with Go (two to three minutes, once)', () =>
      runCommand(go, ['install', '-ldflags=-s -w', `github.com/temporalio/cli/cmd/temporal@v${cli}`], {
        env: { ...env, GOBIN: target },
        timeoutMs: 1_800_000,
        signal,
      }),
    );
  });
  const binary = join(folder, 'temporal');
  return { found: { binary }, from: `server ${server} built with Go, now ${binary}` };
}
