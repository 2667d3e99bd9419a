/**
 * What must be there before any TypeScript of ours can run: Node, the npm packages, the build. Plain JavaScript without
 * dependencies. Run alone, it does all of it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const leastNode = [20, 19];
const sourceFolders = [
  ...['domain', 'contracts', 'platform', 'workflows', 'activities', 'services', 'consumers', 'tools'],
];

/** Ends the process with one line: what is wrong is the user's to mend. */
function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Checks Node, installs the npm packages and builds, each only if needed. What it says goes to stderr. */
export async function prepare() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])) {
    refuse(
      `Node.js ${leastNode.join('.')} or later is needed, and this is ${process.version}: install 20, 22 or 24`,
    );
  }
  await installPackages();
  await build();
}

async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const remembered = join(root, 'node_modules', '.hailway-lock');
  if (existsSync(remembered) && readFileSync(remembered, 'utf8') === lock) return;
  if (installedByHand()) return;
  await run('npm packages: installing', 'npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(remembered, lock);
}

/** npm writes this file at the end of an installation: whoever ran `npm install` after the last change is done. */
function installedByHand() {
  const done = statSync(join(root, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  return done !== undefined && done.mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

async function build() {
  // Written last of all, so its time is that of a whole build.
  const built = join(root, 'dist', '.built');
  const since = existsSync(built) ? statSync(built).mtimeMs : 0;
  const startedAt = new Date();
  const inputs = [
    ...sourceFolders,
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  if (!inputs.some((input) => isNewer(join(root, input), since))) return;
  await run('TypeScript: building', 'npm', ['run', '--silent', 'build']);
  writeFileSync(built, startedAt.toISOString());
}

/** Whether a file here or below was changed, or one came or went, since then. */
function isNewer(path, since) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (stat.mtimeMs > since) return true;
  return stat.isDirectory() && readdirSync(path).some((name) => isNewer(join(path, name), since));
}

/** Runs a command with its progress on screen; what it writes is shown when it fails. */
function run(title, command, args) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk) => (output = (output + chunk).slice(-20_000));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  let shownAt = 0;
  const ticker = setInterval(() => {
    if (seconds() < 2) return;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${title} … ${seconds()} s`);
    else if (seconds() - shownAt >= 10 || shownAt === 0) {
      shownAt = seconds();
      process.stderr.write(`${title} … ${shownAt} s\n`);
    }
  }, 500);
  return new Promise((resolve) => {
    const end = (failure) => {
      clearInterval(ticker);
      if (process.stderr.isTTY && seconds() >= 2) process.stderr.write('\r\x1b[K');
      if (failure === undefined) return resolve();
      // npm's own help is of no help here.
      const words = output.split('\n').filter((line) => !/^npm (warn|error) *(--|\[|$)/.test(line));
      refuse(
        `${words.slice(-40).join('\n').trim()}\n${title} failed: ${command} ${args.join(' ')} ended with ${failure}`,
      );
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => {
      // Ctrl-C reached the command too: no more words are needed.
      if (signal === 'SIGINT') process.exit(130);
      end(code === 0 ? undefined : (code ?? signal));
    });
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await prepare();
