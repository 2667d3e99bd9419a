import { join } from 'node:path';
import { z } from 'zod';
import { factEntry } from '../../contracts/catalogue';
import { consumers, matches } from '../../contracts/consumers';
import { families } from '../../contracts/families';
import { UsageError } from '../commandLine';
import { frozenFiles, publishedSchema } from '../generate/published';
import { fieldAsked } from './kinds';
import type { FactPlan } from './plan';
import { findFamily, withFact, withImports, type FactSource } from './source';

export interface NewFact {
  readonly type: string;
  /** What has happened, in a sentence. */
  readonly says: string;
  /** `driverId:subjectId`, `note?:text`. */
  readonly fields: readonly string[];
}

/** @throws UsageError for a type that there is, or whose family there is not */
export async function typeForNew(root: string, type: string): Promise<FactSource> {
  const [, family] = /^([a-z]+(?:_[a-z]+)*)\.[a-z]+(?:_[a-z]+)*$/.exec(type) ?? [];
  if (family === undefined)
    throw new UsageError(`a fact is called family.what_has_happened, not ${JSON.stringify(type)}`);
  const source = await findFamily(root, family);
  if (source === undefined)
    throw new UsageError(
      `there is no family ${family}: ${families.map(({ name }) => name).join(', ')}; ` +
        'a new one is written to contracts/families.ts, with its first fact in contracts/facts',
    );
  if (factEntry(type) !== undefined || source.schemas.has(type))
    throw new UsageError(`${type} is there: npx hailway fact evolve ${type}`);
  return source;
}

/** What introduces a fact. @throws UsageError for what is no fact */
export async function planNew(root: string, { type, says, fields }: NewFact): Promise<FactPlan> {
  const source = await typeForNew(root, type);
  if (says === '') throw new UsageError('say what has happened, in a sentence');
  const asked = fields.map(fieldAsked);
  const shape = Object.fromEntries(asked.map(({ name, schema }) => [name, schema]));
  const written = asked.map(({ name, code }) => `${name}: ${code}`).join(', ');
  const schema = `z.object({ ${written} }).describe(${JSON.stringify(says)})`;
  const example = Object.fromEntries(asked.map((field) => [field.name, field.example]));
  const published = publishedSchema({ type, version: 1, schema: z.object(shape).describe(says) });
  const readers = Object.entries(consumers).filter(({ 1: { reads } }) =>
    reads.some((on) => matches(on, type)),
  );
  const domain = families.find(({ name }) => type.startsWith(`${name}.`))?.name ?? '';
  return {
    files: {
      [source.file]: withImports(
        withFact(source, type, schema),
        asked.flatMap(({ imports }) => imports),
      ),
      [join(root, 'contracts', 'examples', `${type}.v1.json`)]: `${JSON.stringify(example, null, 2)}\n`,
      ...frozenFiles(join(root, 'contracts', 'published'), `${type}.v1`, published),
    },
    found: [
      `${type} is read by ${readers.map(([name]) => name).join(', ')} from now on, by contracts/consumers.ts.`,
    ],
    next: [
      `\`npx tsc -p tsconfig.json\` lists where the domain lacks it: its data (domain/, the facts of ${domain}) and what it does`,
      `make contracts/examples/${type}.v1.json an example that somebody would meet, and describe its fields`,
      'record it with the state it tells of: `recordTransition` in a workflow, else `recordFact` with `writtenFact`',
      'name in contracts/consumers.ts who acts on it, and handle it there',
      '`npm run build && node dist/tools/generate.js` writes docs; then `npm run check`',
    ],
  };
}
