import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, type CatalogueEntry } from '../../contracts/catalogue';
import { consumers } from '../../contracts/consumers';
import { chainProblems } from './chains';
import { versionName } from './published';
import { realityProblems } from './reality';

/** What is wrong with the catalogue, and with the code that it speaks of, a sentence each. */
export function catalogueProblems(root: string): string[] {
  return [
    ...ownerProblems(catalogue, root),
    ...nameProblems(catalogue),
    ...exampleProblems(catalogue, join(root, 'contracts', 'examples')),
    ...chainProblems(catalogue, consumers),
    ...realityProblems(catalogue, consumers, root),
  ];
}

/** Every fact is committed by a process of the house. */
export const ownerProblems = (entries: readonly CatalogueEntry[], root: string): string[] =>
  [...new Set(entries.map(({ owner }) => owner))]
    .filter(
      (owner) => !['services', 'consumers'].some((house) => existsSync(join(root, house, owner, 'main.ts'))),
    )
    .flatMap((owner) =>
      entries
        .filter((entry) => entry.owner === owner)
        .map(
          ({ type }) =>
            `${type} is owned by ${owner || 'nobody'}, which is no process: services/${owner}/main.ts.`,
        ),
    );

/** A type begins with its family, is there once, and says what has happened. */
export function nameProblems(entries: readonly CatalogueEntry[]): string[] {
  const names = entries.map(versionName);
  return [
    ...names
      .filter((name, i) => names.indexOf(name) !== i)
      .map((name) => `${name} is in two families of contracts/families.ts.`),
    ...entries
      .filter(({ type, family }) => !type.startsWith(`${family}.`))
      .map(({ type, family }) => `${type} is of the family ${family}: its name begins with \`${family}.\`.`),
    ...entries
      .filter(({ next, schema }) => next === null && schema.description === undefined)
      .map(({ type }) => `${type} does not say what has happened: give its schema a \`.describe(…)\`.`),
  ];
}

/** Every version has an example that its schema takes, and no example is of nothing. */
export function exampleProblems(entries: readonly CatalogueEntry[], dir: string): string[] {
  const names = entries.map(versionName);
  return [
    ...readdirSync(dir)
      .filter((file) => !names.includes(file.replace(/\.json$/, '')))
      .map((file) => `contracts/examples/${file} is of no fact.`),
    ...entries.flatMap((entry) => {
      const file = `${versionName(entry)}.json`;
      if (!existsSync(join(dir, file))) return [`contracts/examples/${file} is missing.`];
      const { error } = entry.schema.safeParse(readExample(dir, entry));
      return error ? [`contracts/examples/${file} is not what its schema says: ${error.message}`] : [];
    }),
  ];
}

/** A version's example, from the folder of examples. */
export const readExample = (dir: string, entry: Pick<CatalogueEntry, 'type' | 'version'>): unknown =>
  JSON.parse(readFileSync(join(dir, `${versionName(entry)}.json`), 'utf8'));
