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

/** A place where a part may be had. */
export interface Place<T> {
  readonly name: string;
  look(): Promise<Look<T>>;
}

/** The message says what is missing, what was tried and what to do. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing';
}

/**
 * Goes from place to place, takes the part from the first that has it, and says which.
 * @param remedies what the user can do when no place has it
 * @throws PartMissing
 */
export async function takePart<T>(
  part: string,
  places: readonly Place<T>[],
  remedies: readonly string[],
  say: Say,
): Promise<T> {
  const tried: string[] = [];
  for (const place of places) {
    const look = await place.look().catch((error: unknown): Look<T> => ({ reason: messageOf(error) }));
    if ('found' in look) {
      say.line(`${part}: ${look.from}`);
      return look.found;
    }
    tried.push(`${place.name}: ${look.reason}`);
    if (look.final) break;
    if (look.reason.includes('too old')) say.line(`${part}: ${place.name}: ${look.reason}; passed over`);
  }
  throw new PartMissing(
    [
      `${part} cannot be had.`,
      ...tried.map((line) => `  tried ${line}`),
      ...remedies.map((line, i) => `  ${i === 0 ? 'do  ' : '  or'} ${line}`),
    ].join('\n'),
  );
}

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
