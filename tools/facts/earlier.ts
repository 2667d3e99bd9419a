import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from '../../contracts/jsonSchema';
import type { FactSource } from './source';
import { zodSource } from './zodSource';

interface Earlier {
  readonly type: string;
  /** The version that is to become an earlier one. */
  readonly version: number;
  readonly schema: JsonSchema;
  readonly changed: string;
  /** What data of it have for each field that they lack or have otherwise. */
  readonly values: readonly { readonly name: string; readonly value: string }[];
}

/** `rideCompletedV1` for ride.completed.v1. */
const nameOf = (type: string, version: number): string =>
  `${type.replace(/[._]([a-z])/g, (_, letter: string) => letter.toUpperCase())}V${version}`;

/** The files by which the newest version becomes an earlier one: itself, its place in the list, its predecessor's `next`. */
export function earlierFiles(root: string, family: FactSource, fact: Earlier): Record<string, string> {
  const { type, version } = fact;
  const dir = join(root, 'contracts', 'facts', 'earlier');
  const name = nameOf(type, version);
  return {
    [join(dir, `${name}.ts`)]: versionFile(family, fact),
    [join(dir, 'index.ts')]: listed(readFileSync(join(dir, 'index.ts'), 'utf8'), type, name),
    ...(version === 1 ? {} : relinked(join(dir, `${nameOf(type, version - 1)}.ts`), type, name)),
  };
}

function versionFile(
  { constant, module }: FactSource,
  { type, version, schema, changed, values }: Earlier,
): string {
  const fields = values.map(({ name, value }) => `${name}: ${value}`);
  const upcast = fields.length === 0 ? '(data) => data' : `(data) => ({ ...data, ${fields.join(', ')} })`;
  return `import { z } from 'zod';
import { ${constant} } from '.${module}';
import { earlier } from './version';

export const ${nameOf(type, version)} = earlier({
  schema: ${zodSource(schema)},
  next: ${constant}['${type}'],
  changed: ${JSON.stringify(changed)},
  upcast: ${upcast},
});
`;
}

function listed(index: string, type: string, name: string): string {
  const imported = `import { ${name} } from './${name}';\n${index}`;
  const entry = new RegExp(`'${type.replace('.', '\\.')}': \\[([^\\]]*)\\]`).exec(index);
  return entry === null
    ? imported.replace(/\n};\n$/, `\n  '${type}': [${name}],\n};\n`)
    : imported.replace(entry[0], `'${type}': [${entry[1]}, ${name}]`);
}

/** What came next to the version before is this one, and no longer the newest. */
function relinked(file: string, type: string, name: string): Record<string, string> {
  const text = readFileSync(file, 'utf8');
  const [next, constant] = new RegExp(`next: (\\w+)\\['${type.replace('.', '\\.')}'\\]`).exec(text) ?? [];
  if (next === undefined || constant === undefined)
    throw new Error(`${file} does not say what is next to it`);
  const relinkedText = text
    .replace(next, `next: ${name}.schema`)
    .replace(new RegExp(`import \\{ ${constant} \\} from '[^']+';`), `import { ${name} } from './${name}';`);
  return { [file]: relinkedText };
}
