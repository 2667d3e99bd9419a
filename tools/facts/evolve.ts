import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { factEntry, type CatalogueEntry } from '../../contracts/catalogue';
import { jsonSchema } from '../../contracts/jsonSchema';
import { UsageError } from '../commandLine';
import { breaksBetween } from '../generate/compatibility';
import { frozenFiles, publishedSchema, versionName } from '../generate/published';
import { earlierFiles } from './earlier';
import { fieldAsked, type FieldAsked } from './kinds';
import type { FactPlan } from './plan';
import { findFamily, withFields, withImports, type FactSource } from './source';

export interface Evolution {
  readonly type: string;
  /** `waitedSeconds:int=0`, `note?:text`. */
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** `chargeMinor:text=String(data.chargeMinor)`. */
  readonly change: readonly string[];
  /** What the new version changes, in a sentence; not needed where none is. */
  readonly changed: string;
}

/** The newest version of a fact, and where it is written. @throws UsageError where there is none */
export async function factToEvolve(
  root: string,
  type: string,
): Promise<{ entry: CatalogueEntry; source: FactSource }> {
  const entry = factEntry(type);
  const source = entry && (await findFamily(root, entry.family));
  if (entry === undefined || !source?.schemas.has(type))
    throw new UsageError(`there is no fact ${JSON.stringify(type)}: docs/catalogue/index.html lists them`);
  return { entry, source };
}

/**
 * What changes a fact: where it only gains optional fields, its schema; otherwise the next version, with an upcaster from
 * this one, which stays readable.
 * @throws UsageError for a change that cannot be
 */
export async function planEvolution(root: string, evolution: Evolution): Promise<FactPlan> {
  const { entry, source } = await factToEvolve(root, evolution.type);
  const asked = readEvolution(entry, evolution);
  const schema = changedSchema(entry, asked);
  const breaks = breaksBetween(jsonSchema(entry.schema), jsonSchema(schema));
  const text = withImports(
    withFields(source, entry.type, { gone: asked.gone, come: asked.come }),
    asked.come.flatMap(({ imports }) => imports),
  );
  if (breaks.length === 0)
    return {
      files: { [source.file]: text },
      found: [
        `Version ${entry.version} of ${entry.type} only gains optional fields: no new version is needed.`,
      ],
      next: ["give the domain's type the field", generate],
    };
  if (evolution.changed === '')
    throw new UsageError('say in a sentence what the new version changes: --changed "…"');
  const values = asked.come.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]));
  const version = entry.version + 1;
  const name = versionName({ ...entry, version });
  const examples = join(root, 'contracts', 'examples');
  const earlierExample = JSON.parse(
    readFileSync(join(examples, `${versionName(entry)}.json`), 'utf8'),
  ) as object;
  const example = exampleOf(earlierExample, asked, schema);
  const frozen = publishedSchema({ type: entry.type, version, schema });
  const became = { ...entry, schema: jsonSchema(entry.schema), changed: evolution.changed, values };
  return {
    files: {
      [source.file]: text,
      ...earlierFiles(root, source, became),
      [join(examples, `${name}.json`)]: `${JSON.stringify(example, null, 2)}\n`,
      ...frozenFiles(join(root, 'contracts', 'published'), name, frozen),
    },
    found: [
      `This is version ${version} of ${entry.type}, since it could break readers of version ${entry.version}:`,
      ...breaks.map(({ path, kind, was, is }) => `  ${path}: ${kind} (was ${was}, is ${is})`),
    ],
    next: [
      `read the upcaster in contracts/facts/earlier: it makes version ${version} of what is stored`,
      '`npx tsc -p tsconfig.json` lists where the domain and consumers differ from it now',
      generate,
      'deploy its readers before the service that writes it',
    ],
  };
}

const generate = '`npm run build && node dist/tools/generate.js` writes docs; then `npm run check`';

interface Asked {
  readonly gone: readonly string[];
  readonly come: readonly FieldAsked[];
}

function readEvolution(entry: CatalogueEntry, { add, remove, change }: Evolution): Asked {
  const had = Object.keys(objectOf(entry).shape);
  const [added, changed] = [add.map(fieldAsked), change.map(fieldAsked)];
  for (const name of [...remove, ...changed.map((field) => field.name)])
    if (!had.includes(name)) throw new UsageError(`${entry.type} has no field ${name}: ${had.join(', ')}`);
  for (const { name } of added)
    if (had.includes(name)) throw new UsageError(`${entry.type} has ${name} already: change it`);
  const unsaid = [...added, ...changed].find(
    ({ value, schema }) => value === undefined && !schema.safeParse(undefined).success,
  );
  if (unsaid !== undefined)
    throw new UsageError(
      `what do facts of version ${entry.version} have for ${unsaid.name}? Say it (${unsaid.name}:KIND=VALUE, in which ` +
        `\`data\` is theirs), or let it be missing (${unsaid.name}?:KIND)`,
    );
  if (added.length + changed.length + remove.length === 0)
    throw new UsageError('what changes? --add, --remove or --change');
  return { gone: remove, come: [...added, ...changed] };
}

function objectOf({ type, schema }: CatalogueEntry): z.ZodObject {
  if (schema instanceof z.ZodObject) return schema;
  throw new UsageError(`${type} is no object of fields: change it by hand, as CONTRIBUTING.md says`);
}

function changedSchema(entry: CatalogueEntry, { gone, come }: Asked): z.ZodObject {
  const omitted = objectOf(entry).omit(
    Object.fromEntries(gone.map((name) => [name, true])) as Record<string, true> & Record<number, never>,
  );
  const shape = Object.fromEntries(come.map(({ name, schema }) => [name, schema]));
  return omitted.extend(shape).describe(entry.schema.description ?? '');
}

/** The earlier version's example as its upcaster will make it. @throws UsageError for a value that does not fit */
function exampleOf(earlier: object, { gone, come }: Asked, schema: z.ZodType): unknown {
  const kept = Object.entries(earlier).filter(([name]) => !gone.includes(name));
  const arrived = come.map(({ name, value, example }) => [
    name,
    value === undefined ? example : valueOf(value, earlier),
  ]);
  const example = Object.fromEntries([...kept, ...arrived]) as unknown;
  const { error } = schema.safeParse(example);
  if (error) throw new UsageError(`what facts of before would have does not fit: ${z.prettifyError(error)}`);
  return example;
}

function valueOf(expression: string, data: object): unknown {
  try {
    return runInNewContext(`(${expression})`, { data }) as unknown;
  } catch (error) {
    throw new UsageError(`${JSON.stringify(expression)} says nothing of the earlier data: ${String(error)}`);
  }
}
