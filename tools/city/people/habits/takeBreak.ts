import type { DriverView } from '../../../../contracts/api/drivers';
import type { CityClock } from '../../clock';
import type { App } from '../../client/app';
import type { Random } from '../../random';
import { noteRefusal, type CityRecord } from '../record';

/** In the city's milliseconds. */
const BREAK_MS = [120_000, 480_000] as const;

/** The driver leaves an offer to others and goes offline for a while. */
export async function takeBreak(
  app: App,
  random: Random,
  { clock, record }: { clock: CityClock; record: CityRecord },
): Promise<void> {
  await app
    .post<DriverView>('/v1/drivers/me/offline')
    .then(({ driverId }) => void record.memories.breaks.push({ driverId }), noteRefusal(record));
  await clock.wait(random.between(...BREAK_MS));
  await app.post('/v1/drivers/me/online').catch(noteRefusal(record));
}
