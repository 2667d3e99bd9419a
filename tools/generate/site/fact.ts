import { join } from 'node:path';
import { factVersions, type CatalogueEntry } from '../../../contracts/catalogue';
import { jsonSchema, type JsonSchema } from '../../../contracts/jsonSchema';
import { knownFact } from '../../../contracts/knownFact';
import { readExample } from '../catalogueProblems';
import { breaksBetween } from '../compatibility';
import { versionName } from '../published';
import { fieldsOf } from './fields';
import { code, escape, json, table } from './html';

/** A fact in its newest version, and how it came to that from the earlier ones. `contracts` is that folder. */
export function factSection(entry: CatalogueEntry, contracts: string): string {
  const { type, version, topic, key, owner } = entry;
  const readers = entry.consumers.map((name) => `<a href="index.html#consumer-${name}">${escape(name)}</a>`);
  const about: [string, string][] = [
    ['producer and owner', escape(owner)],
    ['consumers', readers.join(', ') || 'nobody'],
    ['topic', code(topic)],
    ['key', code(key)],
    ['version', `${version}, ${code(`ce_dataschema: ${versionName(entry)}`)}`],
  ];
  return [
    `<h2 id="${type}">${escape(type)}</h2>`,
    `<p>${escape(entry.schema.description ?? '')}</p>`,
    `<dl>${about.map(([term, said]) => `<dt>${term}</dt><dd>${said}</dd>`).join('\n')}</dl>`,
    fields(entry),
    '<h3>Example</h3>',
    json(readExample(join(contracts, 'examples'), entry)),
    ...factVersions(type)
      .slice(0, -1)
      .reverse()
      .map((earlier) => earlierVersion(earlier, join(contracts, 'examples'))),
  ].join('\n');
}

function fields(entry: CatalogueEntry): string {
  const rows = fieldsOf(jsonSchema(entry.schema));
  if (rows.length === 0) return '<p>It has no data of its own.</p>';
  return table(
    `Data of ${versionName(entry)}`,
    ['field', 'type', 'there', 'says'],
    rows.map(({ path, type, isRequired, says }) => [
      code(path),
      escape(type),
      isRequired ? 'always' : 'perhaps',
      escape(says),
    ]),
  );
}

function earlierVersion(entry: CatalogueEntry, examples: string): string {
  const { type, version } = entry;
  const example = readExample(examples, entry);
  const next = factVersions(type)[version]!;
  const changes = changesBetween(jsonSchema(entry.schema), jsonSchema(next.schema));
  return [
    `<h3>Version ${version}</h3>`,
    `<p>Still read. Version ${version + 1} changed: ${escape(entry.next?.changed ?? '')}.</p>`,
    `<ul>${changes.map((change) => `<li>${escape(change)}</li>`).join('')}</ul>`,
    '<details><summary>An example, and what its upcaster makes of it</summary>',
    json(example),
    json(knownFact({ type, dataschema: versionName(entry), data: example })?.data),
    '</details>',
  ].join('\n');
}

/** What became different, and the optional fields that are new. */
function changesBetween(before: JsonSchema, after: JsonSchema): string[] {
  const had = new Set(fieldsOf(before).map(({ path }) => path));
  const added = fieldsOf(after).filter(({ path, isRequired }) => !had.has(path) && !isRequired);
  return [
    ...added.map(({ path, type }) => `${path}: new (${type})`),
    ...breaksBetween(before, after).map(({ path, kind, was, is }) => `${path}: ${kind} (${was} → ${is})`),
  ];
}
