import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matches } from '../../contracts/consumers';

interface Declared {
  readonly reads: readonly string[];
}

interface Owned {
  readonly type: string;
  readonly owner: string;
}

/**
 * Holds what the catalogue says of consumers against their code, in `consumers/<name>` or, of a service that reads facts,
 * `services/<name>`: the types of facts that it names are those that it reads, or its own, and of what it reads each fact,
 * or something of each family, is named. `*` is read whatever its type.
 * @param facts those of the catalogue
 * @returns what does not agree, a sentence each
 */
export function realityProblems(
  facts: readonly Owned[],
  consumers: Readonly<Record<string, Declared>>,
  root: string,
): string[] {
  const owners = new Map(facts.map(({ type, owner }) => [type, owner]));
  const families = new Set(facts.map(({ type }) => type.split('.')[0]));
  return Object.entries(consumers).flatMap(([consumer, { reads }]) => {
    const houses = ['consumers', 'services'].map((house) => join(house, consumer));
    const home = houses.find((dir) => existsSync(join(root, dir)));
    if (home === undefined) return [`There is no ${houses.join(' and no ')}, whose facts are read.`];
    const named = namedIn(join(root, home)).filter(({ type }) => families.has(type.split('.')[0]));
    const isNamed = (pattern: string): boolean => named.some(({ type }) => matches(pattern, type));
    const isRead = (type: string): boolean => reads.some((pattern) => matches(pattern, type));
    return [
      ...named
        .filter(({ type }) => !owners.has(type))
        .map(({ type, file }) => `${home}/${file} names ${type}, and no fact is called so.`),
      ...named
        .filter(({ type }) => owners.has(type) && owners.get(type) !== consumer && !isRead(type))
        .map(
          ({ type, file }) =>
            `${home}/${file} names ${type}, and contracts/consumers.ts does not say that ${consumer} reads it.`,
        ),
      ...reads
        .filter((pattern) => pattern !== '*' && !isNamed(pattern))
        .map(
          (pattern) =>
            `contracts/consumers.ts says that ${consumer} reads ${pattern}, and its code names none.`,
        ),
    ];
  });
}

/** Texts in the code of a folder that look like a fact's type. */
function namedIn(dir: string): { type: string; file: string }[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const found = readFileSync(join(dir, file), 'utf8').matchAll(
      /(['"`])([a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*)\1/g,
    );
    return [...new Set([...found].map(([, , type]) => type!))].map((type) => ({ type, file }));
  });
}
