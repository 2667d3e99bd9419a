import { execFileSync } from 'node:child_process';
import { isRoot } from '../places';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that Postgres runs as: nobody else than us, or, as it refuses to run as root, the user `postgres`, who is
 * made when there is none.
 * @throws when the user cannot be made
 */
export function postgresUser(): SystemUser | undefined {
  if (!isRoot()) return undefined;
  const found = lookUp('postgres');
  if (found) return found;
  try {
    const home = ['--home-dir', '/var/lib/postgresql', '--no-create-home', '--shell', '/usr/sbin/nologin'];
    execFileSync('useradd', ['--system', '--user-group', ...home, 'postgres'], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(
      `Postgres does not run as root, and the user \`postgres\` could not be made (${(error as Error).message}). ` +
        'Make it with useradd, or start as another user than root.',
      { cause: error },
    );
  }
  return lookUp('postgres');
}

function lookUp(name: string): SystemUser | undefined {
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}
