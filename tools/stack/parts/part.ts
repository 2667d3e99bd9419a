import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Say } from '../say';

/**
 * What a look at one place brings: the part and where it was found, or why it is not had from there. With `final` no
 * other place is looked at: whoever names a server wants that one, and another in its stead would be a surprise.
 */
export type Look<T> =
  { readonly found: T; readonly from: string } | { readonly reason: string; readonly final?: boolean };

/** What looking for parts takes. */
export interface Search {
  readonly env: NodeJS.ProcessEnv;
  readonly say: Say;
  /** Ends downloads and builds. */
  readonly signal?: AbortSignal | undefined;
}

/** A place where a part may be had. */
export interface Place<T> {
  readonly name: string;
  look(): Promise<Look<T>>;
  /** Where looking means installing: what would be done, or why it cannot be. */
  readonly prospect?: () => Promise<Look<string>>;
}

/** A part, the places where it may be had in their order, and what a user can do when none has it. */
export interface PartSource<T> {
  readonly part: string;
  readonly places: readonly Place<T>[];
  readonly remedies: readonly string[];
}

/** The message says what is missing, what was tried and what to do. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing';
}

/**
 * Goes from place to place, takes the part from the first that has it, and says which.
 * @throws PartMissing
 */
export async function takePart<T>(source: PartSource<T>, { say, signal }: Search): Promise<T> {
  const { part, places } = source;
  const tried: string[] = [];
  for (const place of places) {
    const look = await lookSafely(() => place.look());
    signal?.throwIfAborted();
    if ('found' in look) {
      say.line(`${part}: ${look.from}`);
      return look.found;
    }
    tried.push(`${place.name}: ${look.reason}`);
    if (look.final) break;
    if (look.reason.includes('too old')) say.line(`${part}: ${place.name}: ${look.reason}; passed over`);
  }
  throw new PartMissing(wordsForMissing(source, tried));
}

export interface Examination {
  readonly there: boolean;
  /** Where it is or what a start would do; or, in several lines, what was tried and what to do. */
  readonly words: string;
}

/** Whether a start would have the part, without installing anything. */
export async function examinePart(source: PartSource<unknown>): Promise<Examination> {
  const tried: string[] = [];
  for (const place of source.places) {
    const look = await lookSafely<unknown>(() => (place.prospect ?? place.look)());
    if ('found' in look) return { there: true, words: look.from };
    tried.push(`${place.name}: ${look.reason}`);
    if (look.final) break;
  }
  return { there: false, words: wordsForMissing(source, tried) };
}

const lookSafely = <T>(look: () => Promise<Look<T>>): Promise<Look<T>> =>
  look().catch((error: unknown) => ({ reason: messageOf(error) }));

const wordsForMissing = ({ part, remedies }: PartSource<unknown>, tried: readonly string[]): string =>
  [
    `${part} cannot be had.`,
    ...tried.map((line) => `  tried ${line}`),
    ...remedies.map((line, i) => `  ${i === 0 ? 'do' : 'or'} ${line}`),
  ].join('\n');

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * Fills `<cache>/<name>` once. `fill` writes into a folder beside it that gets the name when it is whole, so an
 * installation that was killed is never taken for one. Two at once do the work twice; the first one stays.
 * @returns the folder
 */
export async function installOnce(
  cache: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cache, name);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const folder = join(cache, `.${name}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(folder, { mode: 0o755 });
    await fill(folder);
    await rename(folder, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return target;
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('.')) continue;
    const path = join(cache, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
