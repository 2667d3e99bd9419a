import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { catalogue } from '../contracts/catalogue';
import { openApiDocument } from '../contracts/openapi';
import { builtInProblems } from '../platform/http';
import { durationTable } from './fit/durationTable';
import { asyncApiDocument } from './generate/asyncapi';
import { factsPage, rideStatesPage } from './generate/documents';
import { checkPublished } from './generate/published';

/** What is made from the code and committed, by its place in the repository. */
const documents: Readonly<Record<string, (root: string) => string | Promise<string>>> = {
  'docs/openapi.json': () => JSON.stringify(openApiDocument(builtInProblems), null, 2),
  'docs/asyncapi.json': () => JSON.stringify(asyncApiDocument(), null, 2),
  'docs/facts.md': factsPage,
  'docs/ride-states.md': rideStatesPage,
  'domain/durationTable.ts': durationTable,
};

/**
 * Writes the generated files, or with `--check` says which are stale. Frozen schemas are made once and never written
 * again. Exit 1 when something is stale or a fact is not compatible with its frozen schema.
 */
async function main(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const root = repositoryRoot();
  const wrong = checkPublished(catalogue, join(root, 'contracts', 'published'), { create: !check });
  for (const [path, make] of Object.entries(documents)) {
    const file = join(root, path);
    const text = await format(await make(root), file);
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (committed === text) continue;
    if (check) wrong.push(`${path} is stale: run \`node dist/tools/generate.js\` and commit it.`);
    else {
      writeFileSync(file, text);
      process.stdout.write(`wrote ${path}\n`);
    }
  }
  for (const line of wrong) process.stderr.write(`${line}\n`);
  if (wrong.length === 0) process.stdout.write('Generated files are up to date.\n');
  return wrong.length === 0 ? 0 : 1;
}

/** As prettier would have it, so that formatting changes nothing. */
async function format(text: string, file: string): Promise<string> {
  const prettier = await import('prettier');
  return prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
}

function repositoryRoot(): string {
  let root = __dirname;
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  return root;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
