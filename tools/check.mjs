/**
 * `npm run check`: format, lint, types, import rule, workflow bundle, generated files. Runs its steps one after
 * another, a line each, and exits with 1 at the end when any has failed. In a fresh clone it installs and builds first.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (path) => join(root, 'node_modules', path);
const houses = [
  'domain',
  'contracts',
  'platform',
  'workflows',
  'activities',
  'services',
  'consumers',
  'tools',
  'test',
];
const generator = join(root, 'dist', 'tools', 'generate.js');

/** name: what it is called on screen; args: what Node runs; shown: its progress is seen while it runs. */
const steps = [
  { name: 'install, build', args: [join(root, 'tools', 'stack', 'prepare.mjs')], shown: true },
  { name: 'format', args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', args: [bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.'] },
  { name: 'types', args: [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
  {
    name: 'import rule',
    args: [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      ...houses,
    ],
  },
  { name: 'workflow bundle', args: [join(root, 'tools', 'checkBundle.mjs')] },
  { name: 'generated files', args: [generator, '--check'] },
];

function run(args, shown) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', shown ? 'inherit' : 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
  });
}

async function check() {
  const failed = [];
  for (const { name, args, shown } of steps) {
    const startedAt = Date.now();
    const { ok, output } = await run(args, shown === true);
    console.log(
      `${name.padEnd(16)} ${ok ? 'ok' : 'FAILED'}  ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    if (!ok) {
      failed.push(name);
      if (output !== '') console.log(output.replace(/^/gm, '  '));
    }
  }
  if (failed.length > 0) {
    console.log(`check failed: ${failed.join(', ')}`);
    process.exitCode = 1;
  } else console.log('check passed');
}

check().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
