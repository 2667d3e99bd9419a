import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command';
import { cacheDir, isExecutable, onPath } from '../places';
import { versions } from '../versions';
import { installOnce, type Look, type PartSource, type Search } from './part';

const { release } = versions.stripeMock;
const goModule = 'github.com/stripe/stripe-mock';
const nameInCache = `stripe-mock-${release}`;
const program = 'stripe-mock';
/** Stripe's API as Stripe describes it (OpenAPI), which the program carries inside. */
const description = 'spec3.json';

/** Stripe's own mock of its API: a folder with the program `stripe-mock` and its `spec3.json`. */
export function stripeMockSource(search: Search): PartSource<string> {
  const { env } = search;
  return {
    part: 'stripe-mock',
    places: [
      { name: 'HAILWAY_STRIPE_MOCK', look: () => lookAtFolder(env.HAILWAY_STRIPE_MOCK) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'Go', look: () => buildWithGo(search), prospect: () => prospectOfGo(env) },
    ],
    remedies: [
      'install Go 1.22 or later, with which it is built from source',
      `set HAILWAY_STRIPE_MOCK to a folder with ${program} ${release} and its ${description}`,
    ],
  };
}

function lookAtFolder(folder: string | undefined): Promise<Look<string>> {
  if (!folder) return Promise.resolve({ reason: 'not set' });
  return Promise.resolve(
    isExecutable(join(folder, program))
      ? { found: folder, from: `at HAILWAY_STRIPE_MOCK (${folder})` }
      : { reason: `no ${program} in ${folder}`, final: true },
  );
}

function lookInCache(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const folder = join(cacheDir(env), nameInCache);
  return Promise.resolve(
    isExecutable(join(folder, program))
      ? { found: folder, from: `${release} from the cache (${folder})` }
      : { reason: `nothing at ${folder}` },
  );
}

function prospectOfGo(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const [go] = onPath('go', env);
  return Promise.resolve(
    go === undefined
      ? { reason: 'no go on the PATH' }
      : { found: go, from: 'not there yet; npm test builds it with Go, which takes seconds' },
  );
}

async function buildWithGo({ env, say, signal }: Search): Promise<Look<string>> {
  const [go] = onPath('go', env);
  if (go === undefined) return { reason: 'no go on the PATH' };
  const folder = await installOnce(cacheDir(env), nameInCache, async (target) => {
    await say.during('stripe-mock: building from source with Go', () =>
      runCommand(go, ['install', '-ldflags=-s -w', `${goModule}@v${release}`], {
        env: { ...env, GOBIN: target },
        signal,
      }),
    );
    const sources = await runCommand(go, ['env', 'GOMODCACHE'], { env, signal });
    const within = ['embedded', 'openapi', description];
    await copyFile(join(sources, `${goModule}@v${release}`, ...within), join(target, description));
  });
  return { found: folder, from: `${release} built with Go, now in ${folder}` };
}
