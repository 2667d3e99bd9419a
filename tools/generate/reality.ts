import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matches } from '../../contracts/consumers';

interface Declared {
  readonly reads: readonly string[];
}

/**
 * Holds what the catalogue says of consumers against their code in `consumers/<name>`: the types of facts that it names
 * are those that it reads, and of what it reads each fact, or something of each family, is named. `*` is read whatever
 * its type.
 * @param types those of the catalogue
 * @returns what does not agree, a sentence each
 */
export function realityProblems(
  types: readonly string[],
  consumers: Readonly<Record<string, Declared>>,
  root: string,
): string[] {
  const families = new Set(types.map((type) => type.split('.')[0]));
  return Object.entries(consumers).flatMap(([consumer, { reads }]) => {
    const dir = join(root, 'consumers', consumer);
    const named = namedIn(dir).filter(({ type }) => families.has(type.split('.')[0]));
    const isNamed = (pattern: string): boolean => named.some(({ type }) => matches(pattern, type));
    return [
      ...named
        .filter(({ type }) => !types.includes(type))
        .map(({ type, file }) => `consumers/${consumer}/${file} names ${type}, and no fact is called so.`),
      ...named
        .filter(({ type }) => types.includes(type) && !reads.some((pattern) => matches(pattern, type)))
        .map(
          ({ type, file }) =>
            `consumers/${consumer}/${file} names ${type}, and contracts/consumers.ts does not say that ${consumer} reads it.`,
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
