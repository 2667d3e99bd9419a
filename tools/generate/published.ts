import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CatalogueEntry } from '../../contracts/catalogue';
import { jsonSchema } from '../../contracts/jsonSchema';
import { incompatibilities } from './compatibility';

type Published = Pick<CatalogueEntry, 'type' | 'version' | 'schema'>;

export const publishedName = ({ type, version }: Published): string => `${type}.v${version}.json`;

/** The frozen form of a fact's schema: what every version of the code has to be able to read. */
export const publishedSchema = (entry: Published): Record<string, unknown> => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: `${entry.type}.v${entry.version}`,
  ...jsonSchema(entry.schema),
});

/**
 * Holds every fact of the catalogue against its frozen schema in `dir`. Files that are there are never written; with
 * `create` the missing ones are made.
 * @returns what is wrong, one sentence each
 */
export function checkPublished(
  entries: readonly Published[],
  dir: string,
  { create }: { readonly create: boolean },
): string[] {
  mkdirSync(dir, { recursive: true });
  const gone = readdirSync(dir).filter((name) => !entries.some((entry) => publishedName(entry) === name));
  return [
    ...gone.map((name) => `${name} is published, and no fact of the catalogue has it any more.`),
    ...entries.flatMap((entry) => checkOne(entry, join(dir, publishedName(entry)), create)),
  ];
}

function checkOne(entry: Published, file: string, create: boolean): string[] {
  const name = publishedName(entry);
  if (!existsSync(file)) {
    if (create) writeFileSync(file, `${JSON.stringify(publishedSchema(entry), null, 2)}\n`);
    return create ? [] : [`${name} is missing: run the generator and commit it.`];
  }
  const frozen: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return incompatibilities(frozen, publishedSchema(entry)).map(
    (change) =>
      `${name} is frozen, but ${change}: a fact only gains optional fields; a new meaning is a new version.`,
  );
}
