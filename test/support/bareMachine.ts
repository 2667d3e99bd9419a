import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartMissing } from '../../tools/stack/parts/part';
import { silent, type Say } from '../../tools/stack/say';

/** A folder of a test file's own, which everybody may read; it goes when the file's tests are over. */
export function partsFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hailway-parts-'));
  chmodSync(dir, 0o755);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A machine with nothing but these programs, each saying so when asked for its version. */
export function bareMachine(
  dir: string,
  name: string,
  programs: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {},
) {
  const bin = join(dir, name, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [program, says] of Object.entries(programs)) {
    writeFileSync(join(bin, program), `#!/bin/sh\necho '${says}'\n`);
    chmodSync(join(bin, program), 0o755);
  }
  const said: string[] = [];
  const say: Say = { ...silent, line: (text) => void said.push(text) };
  return {
    bin,
    said,
    search: { env: { PATH: bin, HOME: dir, XDG_CACHE_HOME: join(dir, name, 'cache'), ...env }, say },
  };
}

/** In what words a part cannot be had. */
export const missing = (part: Promise<unknown>): Promise<string> =>
  part.then(
    () => 'nothing is missing',
    (error: unknown) => (error instanceof PartMissing ? error.message : `not PartMissing: ${String(error)}`),
  );
