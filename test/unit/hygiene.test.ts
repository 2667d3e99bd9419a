import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What `npm run check` guards, broken once each. */
const root = resolve(__dirname, '../..');
const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'hailway-hygiene-'));
  dirs.push(dir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function node(args: readonly string[]): Promise<{ code: number; out: string }> {
  return new Promise((done) => {
    // typescript-eslint reads the file on disk instead of the given text where CI is set, unless told not to.
    const env = { ...process.env, TSESTREE_SINGLE_RUN: 'false' };
    execFile(process.execPath, args, { cwd: root, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out: stdout + stderr });
    });
  });
}

describe('lint', () => {
  /** By the file as which the lines are read (one that exists, for its types): each line and the rule it breaks. */
  const lines: Readonly<Record<string, readonly [code: string, rule: string | undefined][]>> = {
    'platform/log.ts': [
      [`async function f() {} f();`, '@typescript-eslint/no-floating-promises'],
      [`if (Promise.resolve(true)) f.call(0);`, '@typescript-eslint/no-misused-promises'],
      [`import { Pool } from 'pg'; export type A = Pool;`, '@typescript-eslint/consistent-type-imports'],
      [
        `export function g(a: 'x' | 'y') { switch (a) { case 'x': return 1; } return 2; }`,
        '@typescript-eslint/switch-exhaustiveness-check',
      ],
      [`console.log(1);`, 'no-console'],
      ...Array.from({ length: 245 }, () => ['', undefined] as [string, undefined]),
      [`export {};`, 'max-lines'],
    ],
    'workflows/ride.ts': [
      [`export const a = process.env.A;`, 'no-restricted-globals'],
      [`export const b = () => fetch('http://x');`, 'no-restricted-globals'],
      [`setImmediate(() => {});`, 'no-restricted-globals'],
      [
        `import { createHash } from 'node:crypto'; createHash('x');`,
        '@typescript-eslint/no-restricted-imports',
      ],
      [`import { z } from 'zod'; z.string();`, '@typescript-eslint/no-restricted-imports'],
      [`import { x } from '../contracts/catalogue'; x();`, '@typescript-eslint/no-restricted-imports'],
      [`import { sleep } from '@temporalio/workflow'; export const nap = sleep;`, undefined],
      [`export const at = (): number => Date.now() + Math.random();`, undefined],
      [`import type { ZodType } from 'zod'; export type S = ZodType;`, undefined],
      [`import { DomainError } from '../domain/errors'; export const e = DomainError;`, undefined],
    ],
    'domain/ride.ts': [
      [`export const now = () => Date.now();`, 'no-restricted-properties'],
      [`export const id = () => performance.now();`, 'no-restricted-globals'],
    ],
  };

  it('refuses what is broken and nothing else', async () => {
    const samples = Object.entries(lines).map(([as, code]) => [as, code.map(([line]) => line).join('\n')]);
    // Types of these files alone: those of the whole house take ten times as long.
    const files = Object.keys(lines).map((as) => join(root, as));
    const compilerOptions = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] };
    const project = folder({
      'tsconfig.json': JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        files,
        include: [],
        compilerOptions,
      }),
    });
    const parserOptions = { project: join(project, 'tsconfig.json') };
    const script = `
      const { ESLint } = require('eslint');
      const overrideConfig = { files: ['**/*.ts'], languageOptions: { parserOptions: ${JSON.stringify(parserOptions)} } };
      const lint = new ESLint({ cwd: ${JSON.stringify(root)}, overrideConfig });
      (async () => {
        const found = [];
        for (const [filePath, code] of ${JSON.stringify(samples)}) {
          const [result] = await lint.lintText(code, { filePath });
          found.push(result.messages.map(({ line, ruleId }) => [line, ruleId]));
        }
        console.log(JSON.stringify(found));
      })();`;
    const { out } = await node(['-e', script]);
    const found = JSON.parse(out) as [line: number, rule: string][][];
    Object.entries(lines).forEach(([as, code], file) => {
      code.forEach(([line, rule], index) => {
        const rules = (found[file] ?? []).filter(([at]) => at === index + 1).map(([, ruleId]) => ruleId);
        const expected = rule === undefined ? [] : expect.arrayContaining([rule]);
        expect({ as, line, rules }).toEqual({ as, line, rules: expected });
      });
    });
  }, 120_000);
});

describe('the workflow bundle', () => {
  it('is refused with zod in it, whichever way it came', async () => {
    const dir = folder({
      'index.ts': `export { quote } from './quote';`,
      'quote.ts': `import { z } from 'zod'; export async function quote(): Promise<unknown> { return z.string().parse('x'); }`,
    });
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    const { code, out } = await node(['tools/checkBundle.mjs', join(dir, 'index.ts')]);
    expect(code).toBe(1);
    expect(out).toContain('node_modules/zod/');
  }, 60_000);

  it('may have types of zod', async () => {
    const dir = folder({
      'index.ts': `import type { z } from 'zod'; export async function quote(): Promise<z.ZodType | undefined> { return undefined; }`,
    });
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    const { code, out } = await node(['tools/checkBundle.mjs', join(dir, 'index.ts')]);
    expect(out).toContain('no zod');
    expect(code).toBe(0);
  }, 60_000);
});
