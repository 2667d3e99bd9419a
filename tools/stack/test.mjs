/** `npm test [-- jest's arguments]`: sets up what is missing, then runs jest. Its exit code is jest's. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

await prepare();
const { findTestParts } = await import('../../dist/tools/stack/testParts.js');
const found = await findTestParts(process.env);
if (found === undefined) process.exit(1);

const jest = spawn(
  process.execPath,
  [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...found },
  },
);
// A Ctrl-C in the terminal reaches jest by itself; both end when it does.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => jest.kill(signal));
jest.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
