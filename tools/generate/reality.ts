import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matches } from '../../contracts/consumers';

interface Declared {
  readonly reads: readonly string[];
  readonly makes: readonly { readonly facts: readonly string[] }[];
  readonly originates?: readonly string[];
}

interface Owned {
  readonly type: string;
  readonly owner: string;
}

/**
 * Holds what the catalogue says of consumers against their code, in `consumers/<name>` or, of a service that reads facts,
 * `services/<name>`: the types of facts that it names are those that it reads, or its own, and of what it reads each fact,
 * or something of each family, is named. `*` is read whatever its type. What a file names that records facts, and what is
 * the consumer's own, are the facts that it makes or originates.
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
  return Object.entries(consumers).flatMap(([consumer, { reads, makes, originates = [] }]) => {
    const houses = ['consumers', 'services'].map((house) => join(house, consumer));
    const home = houses.find((dir) => existsSync(join(root, dir)));
    if (home === undefined) return [`There is no ${houses.join(' and no ')}, whose facts are read.`];
    const named = namedIn(join(root, home)).filter(({ type }) => families.has(type.split('.')[0]));
    const isNamed = (pattern: string): boolean => named.some(({ type }) => matches(pattern, type));
    const made = [...originates, ...makes.flatMap(({ facts: types }) => types)];
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
      ...named
        .filter(({ type, records }) => (records || owners.get(type) === consumer) && !made.includes(type))
        .filter(({ type }) => owners.has(type))
        .map(
          ({ type, file }) =>
            `${home}/${file} makes ${type}, and contracts/consumers.ts does not say that ${consumer} does.`,
        ),
      ...made
        .filter((type) => !isNamed(type))
        .map(
          (type) =>
            `contracts/consumers.ts says that ${consumer} makes ${type}, and its code does not name it.`,
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
function namedIn(dir: string): { type: string; file: string; records: boolean }[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const code = readFileSync(join(dir, file), 'utf8');
    const found = code.matchAll(/(['"`])([a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*)\1/g);
    const records = /\b(?:recordFact|writtenFact|appendFact)\(/.test(code);
    return [...new Set([...found].map(([, , type]) => type!))].map((type) => ({ type, file, records }));
  });
}
