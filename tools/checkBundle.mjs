/**
 * Bundles the workflows and their interceptors as a worker does and fails when something is in the bundle that does not belong in the
 * sandbox: zod (it has cost workers their memory), or a part of the house that is not domain/ or workflows/.
 * Usage: node tools/checkBundle.mjs [workflows/index.ts]
 */
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { bundleWorkflowCode } = require('@temporalio/worker');

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = resolve(process.argv[2] ?? join(root, 'workflows', 'index.ts'));
const refused = /node_modules\/zod\/|^\.\/(contracts|platform|activities|services|consumers|tools)\//;

const problems = [];
const log = (_level) => (message) => problems.push(String(message));
const { code } = await bundleWorkflowCode({
  workflowsPath: entry,
  workflowInterceptorModules: [join(root, 'workflows', 'tracing.ts')],
  logger: { log() {}, trace() {}, debug() {}, info() {}, warn: log('warn'), error: log('error') },
});

// webpack heads each module with its path below the folder it runs in.
const modules = [...code.matchAll(/^\/\*\*\*\/ "([^"]+)"/gm)].map((match) => match[1] ?? '');
if (modules.length === 0) throw new Error('no module was recognized in the bundle');
const wrong = modules.filter((path) => refused.test(path));
const bytes = Buffer.byteLength(code);
if (wrong.length > 0 || problems.length > 0) {
  for (const path of wrong.slice(0, 20)) console.error(`in the workflow bundle: ${path}`);
  for (const problem of problems) console.error(problem);
  console.error(
    'workflow code imports domain/ and @temporalio/workflow; of anything else only types (import type …)',
  );
  process.exitCode = 1;
} else {
  console.log(`${relative(root, entry)}: ${modules.length} modules, ${Math.round(bytes / 1024)} KiB, no zod`);
}
