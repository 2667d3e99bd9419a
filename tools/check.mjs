/**
 * `npm run check`: format, lint, types, import rule, workflow bundle, generated files. Runs its steps one after
 * another, a line each, and exits with 1 at the end when any has failed. Installs the npm packages if need be.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureNodeModules } from './install.mjs';

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

/** name: what it is called on screen; args: what Node runs; needs: left out, and said so, while it is not there. */
const steps = [
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
  { name: 'build', args: [bin('typescript/bin/tsc'), '-p', 'tsconfig.build.json'] },
  { name: 'generated files', args: [generator, '--check'], needs: generator },
];

function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
  });
}

async function check() {
  await ensureNodeModules(root);
  const failed = [];
  for (const { name, args, needs } of steps) {
    if (needs !== undefined && !existsSync(needs)) {
      console.log(`${name.padEnd(16)} nothing to check`);
      continue;
    }
    const startedAt = Date.now();
    const { ok, output } = await run(args);
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
