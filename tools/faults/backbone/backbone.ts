import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Say } from '../../stack/say';
import { killEverything } from '../../stack/stack';
import type { FaultOptions } from '../options';
import { unmount } from './disk';
import { asText } from './judge';
import { playStories, serverDirs, smallDirs } from './play';
import { crashDir, hitsOf, playCrashes } from './sweep';
import type { Found } from './found';

/**
 * Breaks the servers under outbox, relay and consumer, story by story; then hits relays, consumers and replays at each
 * point of their work, and has the judge prove that it finds what is wrong. Says what it hit and what it found.
 */
export async function backboneFaults(
  { seed, repeats, count }: FaultOptions,
  say: Say,
): Promise<{ allIsWell: boolean }> {
  const found: Found[] = [];
  const note = (one: Found): void => {
    found.push(one);
    say.line(inWords(one));
  };
  for (let round = 0; round < repeats; round += 1) {
    const ofRound = seed + round;
    say.line(`Round ${round + 1} of ${repeats}, seed ${ofRound}`);
    const dataDir = await mkdtemp(join(tmpdir(), 'hailway-faults-'));
    // Where we are root, Postgres runs as another user, who must get to its folder inside.
    await chmod(dataDir, 0o711);
    try {
      await interruptible(dataDir, async () => {
        await playStories(dataDir, ofRound, note);
        await playCrashes(dataDir, hitsOf(ofRound, count), ofRound, note);
      });
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  const harmed = found.filter(({ isWell }) => !isWell);
  say.line(`${found.length} faults with seeds from ${seed}, ${harmed.length} not as they should be`);
  for (const one of harmed) say.line(inWords(one));
  return { allIsWell: harmed.length === 0 };
}

const MOST_SAID = 10;

function inWords({ what, seed, isWell, wrong, sought }: Found): string {
  const seen = [...new Set(wrong.map(asText))].slice(0, MOST_SAID).join('; ');
  if (sought === undefined) return `${what}, seed ${seed}: ${isWell ? 'all is well' : seen}`;
  return `${what}, seed ${seed}: ${isWell ? 'found' : `NOT FOUND (${sought})`}: ${seen}`;
}

/** A signal ends the servers at once and removes what they wrote. */
async function interruptible<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const hurry = (): void => {
    for (const dir of [...serverDirs(dataDir), crashDir(dataDir)]) killEverything(dir);
    for (const dir of smallDirs(dataDir)) unmount(dir);
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hurry);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, hurry);
  }
}
