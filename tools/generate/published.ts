import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CatalogueEntry } from '../../contracts/catalogue';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { breaksBetween } from './compatibility';
import { breakKinds, type Break } from './schemaParts';

type Published = Pick<CatalogueEntry, 'type' | 'version' | 'schema'>;

export const versionName = ({ type, version }: { type: string; version: number }): string =>
  `${type}.v${version}`;

/** The list of what is frozen, beside the schemas: the SHA-256 of each, by its name. */
export const frozenList = 'frozen.json';

/** The frozen form of a fact's schema: what every version of the code has to be able to read. */
export const publishedSchema = (entry: Published): JsonSchema =>
  frozenForm(versionName(entry), jsonSchema(entry.schema));

/** The same from a schema that is JSON already. */
const frozenForm = (name: string, schema: JsonSchema): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: name,
  ...schema,
});

/**
 * Holds every fact of the catalogue against its frozen schema in `dir`, and the frozen schemas against the list of their
 * checksums. Files that are there are never written; with `create` the missing ones are made, and listed.
 * @returns what is wrong, one sentence each, with what to do
 */
export function checkPublished(
  entries: readonly Published[],
  dir: string,
  { create }: { readonly create: boolean },
): string[] {
  const listed = readFrozenList(dir);
  const names = entries.map(versionName);
  const there = readdirSync(dir)
    .filter((file) => file.endsWith('.json') && file !== frozenList)
    .map((file) => file.slice(0, -'.json'.length));
  const unknown = there.filter((name) => !names.includes(name));
  const deleted = Object.keys(listed).filter((name) => !there.includes(name));
  const edited = there.filter((name) => {
    const checksum = listed[name];
    return checksum !== undefined && checksum !== checksumOf(readFrozen(dir, name));
  });
  const fresh = entries.filter((entry) => listed[versionName(entry)] === undefined);
  if (create && fresh.length > 0) freeze(dir, fresh);
  return [
    ...unknown.map((name) => `${name} is published, and no fact of the catalogue has it: ${putBackFact}.`),
    ...deleted.map((name) => `contracts/published/${name}.json is frozen, and was deleted: ${putBackFile}.`),
    ...edited.map((name) => `contracts/published/${name}.json is frozen, and was edited: ${putBackFile}.`),
    ...(create ? [] : fresh.map((entry) => `${versionName(entry)} is not frozen yet: ${generate}.`)),
    ...entries.flatMap((entry) => incompatible(entry, dir, entries)),
  ];
}

const putBackFact = 'facts of it are stored, so put it back (earlier versions: contracts/facts/earlier)';
const putBackFile = 'put it back as it was committed, and change the fact by `npx hailway fact evolve`';
const generate = 'run `npm run build && node dist/tools/generate.js` and commit what it makes';

function incompatible(entry: Published, dir: string, entries: readonly Published[]): string[] {
  const name = versionName(entry);
  if (!existsSync(join(dir, `${name}.json`))) return [];
  const isNewest = !entries.some(({ type, version }) => type === entry.type && version > entry.version);
  return breaksBetween(readFrozen(dir, name), publishedSchema(entry)).map((each) =>
    sentence(entry, each, isNewest),
  );
}

function sentence({ type, version }: Published, { path, kind, was, is }: Break, isNewest: boolean): string {
  const where = path === '' ? 'the fact itself' : path;
  const next = isNewest
    ? `put it back, and make version ${version + 1} by \`npx hailway fact evolve ${type}\``
    : 'it is an earlier version, which stays as it is: put it back';
  return `${type} version ${version}, ${where}: ${kind} (was ${was}, is ${is}); ${breakKinds[kind]}: ${next}.`;
}

/** Writes schemas that are not frozen yet, and their checksums; a file that is there stays as it is. */
function freeze(dir: string, entries: readonly Published[]): void {
  for (const entry of entries) {
    const name = versionName(entry);
    freezeSchema(
      dir,
      name,
      existsSync(join(dir, `${name}.json`)) ? readFrozen(dir, name) : publishedSchema(entry),
    );
  }
}

/** Freezes one schema under its name. */
function freezeSchema(dir: string, name: string, schema: JsonSchema): void {
  for (const [file, text] of Object.entries(frozenFiles(dir, name, schema))) writeFileSync(file, text);
}

/** The files in which one schema is frozen: itself, and the list with it. */
export function frozenFiles(dir: string, name: string, schema: JsonSchema): Record<string, string> {
  const listed = { ...readFrozenList(dir), [name]: checksumOf(schema) };
  const sorted = Object.fromEntries(Object.entries(listed).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    [join(dir, `${name}.json`)]: asText(schema),
    [join(dir, frozenList)]: asText(sorted),
  };
}

const asText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function readFrozenList(dir: string): Readonly<Record<string, string>> {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, frozenList);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

const readFrozen = (dir: string, name: string): JsonSchema =>
  JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8')) as JsonSchema;

/** Of what it says, not of how it is indented: a checkout may change the ends of lines. */
const checksumOf = (schema: JsonSchema): string =>
  createHash('sha256').update(JSON.stringify(schema)).digest('hex');
