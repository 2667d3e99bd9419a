import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endedChildrenCpuMs } from '../../tools/bench/analytics/endedChildren';

/** Says so once it has used half a second of a core, and then waits. */
const busy = `while (process.cpuUsage().user < 500_000); process.stdout.write('busy'); setInterval(() => {}, 1_000)`;

test('the CPU time of a child that was killed counts once it has ended', async () => {
  const child = spawn(process.execPath, ['-e', busy], { stdio: ['ignore', 'pipe', 'inherit'] });
  const before = endedChildrenCpuMs();
  await once(child.stdout, 'data');
  expect(endedChildrenCpuMs()).toBe(before);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(endedChildrenCpuMs() - before).toBeGreaterThanOrEqual(490);
});
