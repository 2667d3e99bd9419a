import type { Position } from '../../../contracts/api/positions';
import type { App } from '../client/app';
import type { CityClock } from '../clock';
import type { Motion } from './motion';
import { noteRefusal, type CityRecord } from './record';

/** A position every few seconds of the city's time; several go in one request. */
const SAMPLE_EVERY_MS = 5_000;
/** Between two requests of one driver, in our own time: as often as this, whatever the city's speed. */
const POST_EVERY_MS = { moving: 2_000, standing: 8_000 } as const;
const MOST_SAMPLES = 20;

/** Sends a driver's positions until the app's signal, whose reason it throws. */
export async function sendPositions(
  app: App,
  motion: Motion,
  clock: CityClock,
  record: CityRecord,
): Promise<never> {
  // Rises from run to run, as the newest is the one with the highest.
  let sequence = Date.now();
  let sentUntil = clock.now();
  for (;;) {
    const now = clock.now();
    const positions = sampleTimes(sentUntil, now).map((time): Position => {
      const at = new Date(Date.now() - (now - time) / clock.speed).toISOString();
      return { ...motion.at(time), sequence: ++sequence, at };
    });
    sentUntil = now;
    await app.post('/v1/drivers/me/positions', { positions }).catch(noteRefusal(record));
    await untilNextPost(motion, clock);
  }
}

/** Whoever stands posts less often, but soon when they set off. */
async function untilNextPost(motion: Motion, clock: CityClock): Promise<void> {
  const stepMs = Math.max(POST_EVERY_MS.moving, SAMPLE_EVERY_MS / clock.speed);
  let waitedMs = 0;
  do {
    await clock.waitReal(stepMs);
    waitedMs += stepMs;
  } while (!motion.moving && waitedMs < POST_EVERY_MS.standing);
}

/** The city times to sample since the last request: every few seconds, the present one last. */
export function sampleTimes(sentUntil: number, now: number): number[] {
  const passed = Math.max(0, now - sentUntil);
  const count = Math.min(MOST_SAMPLES, Math.floor(passed / SAMPLE_EVERY_MS));
  if (count <= 1) return [now];
  return Array.from({ length: count }, (_, i) => sentUntil + (passed * (i + 1)) / count);
}
