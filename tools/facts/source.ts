import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type * as TypeScript from 'typescript';

/** Where the newest schema of a fact is written. */
export interface FactSource {
  readonly file: string;
  readonly text: string;
  /** The constant that holds the facts of its family: `rideFacts`. */
  readonly constant: string;
  /** `./rides`, as its neighbours import it. */
  readonly module: string;
  /** By type, where the schema's expression begins and ends in `text`. */
  readonly schemas: ReadonlyMap<string, readonly [start: number, end: number]>;
}

/** The file and constant in which a family's facts are; undefined for a family that there is not. */
export async function findFamily(root: string, family: string): Promise<FactSource | undefined> {
  // A tool of those who build on it: where it only runs there is no compiler.
  const { default: ts } = await import('typescript');
  const dir = join(root, 'contracts', 'facts');
  for (const name of readdirSync(dir).filter((each) => each.endsWith('.ts'))) {
    const file = join(dir, name);
    const text = readFileSync(file, 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const statement of source.statements.filter(ts.isVariableStatement))
      for (const { name: constant, initializer } of statement.declarationList.declarations) {
        const schemas = schemasIn(ts, initializer, family);
        if (schemas.size > 0)
          return { file, text, constant: constant.getText(), module: `./${basename(name, '.ts')}`, schemas };
      }
  }
  return undefined;
}

function schemasIn(
  ts: typeof TypeScript,
  written: TypeScript.Expression | undefined,
  family: string,
): FactSource['schemas'] {
  const literal = written && ts.isSatisfiesExpression(written) ? written.expression : written;
  if (!literal || !ts.isObjectLiteralExpression(literal)) return new Map();
  const facts = literal.properties
    .filter(ts.isPropertyAssignment)
    .flatMap(({ name, initializer }) =>
      ts.isStringLiteral(name) && name.text.startsWith(`${family}.`)
        ? [[name.text, [initializer.getStart(), initializer.getEnd()]] as const]
        : [],
    );
  return new Map(facts);
}

/** Puts a fact behind the last one of its family. */
export function withFact(source: FactSource, type: string, schema: string): string {
  const end = Math.max(...[...source.schemas.values()].map(([, at]) => at));
  return `${source.text.slice(0, end)},\n'${type}': ${schema}${source.text.slice(end)}`;
}

/**
 * Changes the schema of a fact: fields that go, and fields that come, also in the place of others. What it says of itself
 * (`.describe`) stays at its end.
 */
export function withFields(
  { text, schemas }: FactSource,
  type: string,
  {
    gone,
    come,
  }: { readonly gone: readonly string[]; readonly come: readonly { name: string; code: string }[] },
): string {
  const [start, end] = schemas.get(type)!;
  const written = text.slice(start, end);
  const [, schema = written, described = ''] =
    /^(.*)(\.describe\(\s*(?:'[^']*'|"[^"]*"),?\s*\)\s*)$/s.exec(written) ?? [];
  const omitted = gone.length === 0 ? '' : `.omit({ ${gone.map((name) => `${name}: true`).join(', ')} })`;
  const added =
    come.length === 0 ? '' : `.extend({ ${come.map(({ name, code }) => `${name}: ${code}`).join(', ')} })`;
  return text.slice(0, start) + schema.trimEnd() + omitted + added + described + text.slice(end);
}

/** Imports from contracts/shared.ts what the code uses. */
export function withImports(text: string, names: readonly string[]): string {
  const [line, already = ''] = /import \{([^}]*)\} from '\.\.\/shared';\n/.exec(text) ?? [];
  const had = already
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const all = [...new Set([...had, ...names])].sort();
  if (all.length === had.length) return text;
  const written = `import { ${all.join(', ')} } from '../shared';\n`;
  if (line !== undefined) return text.replace(line, written);
  return text.replace("import { z } from 'zod';\n", `import { z } from 'zod';\n${written}`);
}
