import { matches, type Consumer } from '../../contracts/consumers';

type Chained = Pick<Consumer, 'reads'> & {
  readonly makes: readonly { readonly on: string; readonly facts: readonly string[] }[];
  readonly originates?: readonly string[];
};

interface Owned {
  readonly type: string;
  readonly owner: string;
}

/** Further facts that one may set off, across consumers. */
const MOST_FURTHER = 3;

/**
 * What is wrong with who makes which facts on which: a chain of more than three further facts, one that goes round, a
 * consumer that makes facts on what it does not read or that somebody else owns. `realityProblems` holds to it what they make.
 * @returns a sentence each, with the path
 */
export function chainProblems(
  facts: readonly Owned[],
  consumers: Readonly<Record<string, Chained>>,
): string[] {
  const owners = new Map(facts.map(({ type, owner }) => [type, owner]));
  const problems = new Set<string>();
  const links = new Map<string, { readonly by: string; readonly fact: string }[]>();
  for (const [by, { reads, makes, originates = [] }] of Object.entries(consumers)) {
    for (const { on, facts: made } of makes) {
      const causes = [...owners.keys()].filter((type) => matches(on, type));
      if (causes.some((type) => !reads.some((pattern) => matches(pattern, type))))
        problems.add(`${by} makes facts on ${on}, and does not read it.`);
      for (const fact of made)
        for (const type of causes) links.set(type, [...(links.get(type) ?? []), { by, fact }]);
    }
    for (const fact of [...originates, ...makes.flatMap(({ facts }) => facts)])
      if (owners.get(fact) !== by)
        problems.add(`${by} makes ${fact}, which is ${owners.get(fact) ?? 'nobody'}'s to make.`);
  }
  const follow = (path: readonly string[], types: readonly string[], type: string): void => {
    if (types.includes(type)) {
      const first = types.indexOf(type);
      const round = path
        .slice(first)
        .join('')
        .replace(/^ -\(\w+\)-> /, '');
      // Whoever begins in it finds it, too: it is told once, from the fact whose name comes first.
      if (types.slice(first).every((other) => type <= other))
        problems.add(`A chain of facts goes round: ${round}.`);
    } else if (types.length > MOST_FURTHER) {
      problems.add(
        `A chain has ${types.length} further facts, and ${MOST_FURTHER} at most may follow one: ${path.join('')}.`,
      );
    } else {
      for (const { by, fact } of links.get(type) ?? [])
        follow([...path, ` -(${by})-> ${fact}`], [...types, type], fact);
    }
  };
  for (const type of owners.keys()) follow([type], [], type);
  return [...problems];
}
