/**
 * `guard.mjs DIR`: once its stdin ends, kills every process that a data directory below DIR remembers, and removes
 * DIR. Jest's main process holds the other end, so this happens however jest ends.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const dir = process.argv[2];
process.stdin.resume();
process.stdin.on('close', () => {
  for (let round = 0; round < 3 && killAll(); round++);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function killAll() {
  let killed = 0;
  for (const file of existsSync(dir) ? readdirSync(dir, { recursive: true }) : []) {
    if (basename(dirname(file)) !== 'run' || !file.endsWith('.json')) continue;
    try {
      const { pid, startedAt } = JSON.parse(readFileSync(join(dir, file), 'utf8'));
      if (!Number.isInteger(pid) || pid <= 1 || startedAt === '' || startTimeOf(pid) !== startedAt) continue;
      process.kill(-pid, 'SIGKILL');
      killed += 1;
    } catch {
      // Gone meanwhile.
    }
  }
  return killed;
}

/** As in tools/stack/servers/daemon.ts, which is TypeScript and so out of reach here. */
function startTimeOf(pid) {
  if (!existsSync('/proc/self/stat')) {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
