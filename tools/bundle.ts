import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { workflowBundlePath, workflowInterceptorModules } from '../platform/temporal';

/** Bundles the workflows for their sandbox, once per change: the workers load the same file. */
async function main(): Promise<void> {
  const compiled = join(__dirname, '..');
  const target = workflowBundlePath();
  const hash = hashOf([join(compiled, 'workflows'), join(compiled, 'domain')]);
  const hashFile = `${target}.hash`;
  if (existsSync(target) && existsSync(hashFile) && readFileSync(hashFile, 'utf8') === hash) return;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(compiled, 'workflows', 'index.js'),
    workflowInterceptorModules: [...workflowInterceptorModules],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error },
  });
  writeFileSync(target, code);
  writeFileSync(hashFile, hash);
}

function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.js')) hash.update(file).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest('hex');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
