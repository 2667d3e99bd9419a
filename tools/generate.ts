import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { catalogue } from '../contracts/catalogue';
import { openApiDocument } from '../contracts/openapi';
import { builtInProblems } from '../platform/http';
import { demandModel } from './fit/demandModel';
import { durationTable } from './fit/durationTable';
import { asyncApiDocument } from './generate/asyncapi';
import { asyncApiProblems } from './generate/asyncapiParser';
import { catalogueProblems } from './generate/catalogueProblems';
import { cataloguePages } from './generate/site/pages';
import { projectRoot } from './stack/places';
import { factsPage, rideStatesPage } from './generate/documents';
import { checkPublished } from './generate/published';

/** What is made from the code and committed, by its place in the repository. */
const documents: Readonly<Record<string, (root: string) => string | Promise<string>>> = {
  'docs/openapi.json': () => JSON.stringify(openApiDocument(builtInProblems), null, 2),
  'docs/asyncapi.json': (root) => JSON.stringify(asyncApiDocument(root), null, 2),
  'docs/facts.md': factsPage,
  'docs/ride-states.md': rideStatesPage,
  'domain/durationTable.ts': durationTable,
  'domain/demandModel.ts': demandModel,
  ...Object.fromEntries(
    Object.entries(cataloguePages).map(([name, make]) => [`docs/catalogue/${name}`, make]),
  ),
};

/**
 * Writes the generated files, or with `--check` says which are stale. Frozen schemas are made once and never written
 * again. Exit 1 when something is stale, a fact is not compatible with its frozen schema, or the catalogue is not true.
 */
async function main(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const root = projectRoot();
  const wrong = [
    ...checkPublished(catalogue, join(root, 'contracts', 'published'), { create: !check }),
    ...catalogueProblems(root),
    ...(check ? await asyncApiProblems(asyncApiDocument(root)) : []),
  ];
  for (const [path, make] of Object.entries(documents)) {
    const file = join(root, path);
    const text = await format(await make(root), file, root);
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (committed === text) continue;
    if (check) wrong.push(`${path} is stale: run \`node dist/tools/generate.js\` and commit it.`);
    else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      process.stdout.write(`wrote ${path}\n`);
    }
  }
  for (const line of wrong) process.stderr.write(`${line}\n`);
  if (wrong.length === 0) process.stdout.write('Generated files are up to date.\n');
  return wrong.length === 0 ? 0 : 1;
}

/** As prettier would have it, so that formatting changes nothing. */
async function format(text: string, file: string, root: string): Promise<string> {
  const prettier = await import('prettier');
  const { ignored } = await prettier.getFileInfo(file, { ignorePath: join(root, '.prettierignore') });
  if (ignored) return text;
  return prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
