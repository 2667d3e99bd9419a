import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { projectRoot } from '../stack/places';

/** What introducing or changing a fact comes to: the files as they will be, and what is to be told and done. */
export interface FactPlan {
  /** Whole texts, by the file's path. */
  readonly files: Readonly<Record<string, string>>;
  /** What was found, a sentence each. */
  readonly found: readonly string[];
  /** What is left for a person, in order. */
  readonly next: readonly string[];
}

const prettier = join(projectRoot(), 'node_modules', 'prettier', 'bin', 'prettier.cjs');

/** The plan with its TypeScript as prettier has it. */
export function formatted(plan: FactPlan): FactPlan {
  const files = Object.entries(plan.files).map(([file, input]) => {
    if (!file.endsWith('.ts')) return [file, input] as const;
    const args = [prettier, '--stdin-filepath', file];
    return [file, execFileSync(process.execPath, args, { input, encoding: 'utf8' })] as const;
  });
  return { ...plan, files: Object.fromEntries(files) };
}

export function write({ files }: FactPlan): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** The plan in lines: each file with what comes into it and what goes, then what was found and what is next. */
export function describePlan({ files, found, next }: FactPlan, root: string): string[] {
  return [
    ...Object.entries(files).flatMap(([file, text]) => [
      `${existsSync(file) ? 'changes' : 'adds'} ${relative(root, file)}`,
      ...difference(existsSync(file) ? readFileSync(file, 'utf8') : '', text).map((line) => `  ${line}`),
    ]),
    ...found,
    'Next:',
    ...next.map((step, i) => `  ${i + 1}. ${step}`),
  ];
}

/** The lines between those that begin and end both texts alike. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end))
    end += 1;
  return [
    ...old
      .slice(start, old.length - end)
      .filter((line) => line !== '')
      .map((line) => `- ${line}`),
    ...now
      .slice(start, now.length - end)
      .filter((line) => line !== '')
      .map((line) => `+ ${line}`),
  ];
}
