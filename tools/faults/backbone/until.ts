import { wait } from '../../../platform/wait';
import { effectsOf } from './judge';
import type { Load } from './load';
import type { OpenSite } from './site';

const PATIENCE_MS = 60_000;

/** Waits for a condition; one that cannot be asked for now does not hold. @throws Error when it does not within a minute */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const asked = async (): Promise<boolean> => holds();
  for (const deadline = Date.now() + PATIENCE_MS; !(await asked().catch(() => false));) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${what}`);
    await wait(50);
  }
}

const SOME_FACTS = 25;

/** Work goes on: facts recorded from now on have their effect. */
export async function untilWorkGoesOn(site: OpenSite, load: Load, facts = SOME_FACTS): Promise<void> {
  const committed = load.committed();
  await until('facts are committed', () => load.committed() > committed + facts);
  const effects = await effectsOf(site);
  await until('facts have their effect', async () => (await effectsOf(site)) > effects + SOME_FACTS);
}
