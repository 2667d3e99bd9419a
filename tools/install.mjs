import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs the npm packages when they are absent or not those of package-lock.json. Uses Node alone, so that
 * every command can call it first in a fresh clone. Writes to stderr only.
 * @param {string} root the repository
 * @returns {Promise<boolean>} whether it had to install
 */
export async function ensureNodeModules(root) {
  if (isInstalled(root)) return false;
  const startedAt = Date.now();
  process.stderr.write('npm packages: installing those of package-lock.json (npm ci)\n');
  const heartbeat = setInterval(() => {
    process.stderr.write(`npm packages: installing, ${seconds(startedAt)} s\n`);
  }, 5_000);
  try {
    await npmCi(root);
  } finally {
    clearInterval(heartbeat);
  }
  process.stderr.write(`npm packages: installed in ${seconds(startedAt)} s\n`);
  return true;
}

const seconds = (since) => Math.round((Date.now() - since) / 1000);

/** npm writes node_modules/.package-lock.json last: what it lists is what is there. */
export function isInstalled(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '' || version === undefined) return true;
    const there = present[path];
    // Optional packages are for other platforms as a rule.
    return there === undefined ? optional === true : there.version === version;
  });
}

function npmCi(root) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawn(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(
        new Error(
          `npm packages: npm could not be started (${error.message}); install Node 20.19 or later with npm`,
        ),
      );
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `npm packages: npm ci failed (exit ${code}); is the registry reachable?\n${output.trim()}`,
          ),
        );
    });
  });
}
