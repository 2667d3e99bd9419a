import { createApp } from './client/app';
import { createWire } from './client/http';
import { openMailbox } from './client/mailbox';
import { createCityClock } from './clock';
import { cityStart, checkPickups, type Pickup } from './input/pickups';
import { ridePlans, type RidePlan } from './input/plan';
import { readTrips } from './input/trips';
import type { CityOptions, CityResult } from './options';
import { startFleet } from './people/fleet';
import { createRecord, type CityRecord } from './people/record';
import { registerWebhook } from './people/habits/webhook';
import { liveRide } from './people/rider';
import { createStreet } from './people/street';
import type { RiderKit } from './people/trip';
import { watchCity } from './screen/watch';
import { judge } from './verdict/judge';
import { openCourt, type Court } from './verdict/court';
import { settle } from './verdict/settle';
import { objections, summarize } from './verdict/summarize';

export { checkPickups } from './input/pickups';
export { InputError } from './input/csv';
export { cityDefaults, type CityOptions, type CityResult, type Report } from './options';

/** How long the verdict waits for what is still on its way, in our own time. */
const RIDES_END_WITHIN_MS = 180_000;
const SETTLED_WITHIN_MS = 60_000;

/** Riders at once in a city without end: when the API is away, no more of them come. */
const MOST_RIDERS = 2_000;

/**
 * Lets a city live on the public API: drivers, and riders where and when the pickups say. With `rides` it ends after
 * so many, waits until they are settled and published, and judges; without, it lives until its signal.
 * @throws InputError before anything starts, for a file that cannot be used
 */
export async function runCity(options: CityOptions): Promise<CityResult> {
  const pickups = await checkPickups(options.pickupsFile);
  const trips = await readTrips(options.tripsFile);
  const start = cityStart(pickups);
  const plans = ridePlans({ pickups, trips, start, seed: options.seed });
  const court = openCourt(options.verdict);
  try {
    return await live(options, pickups, start, plans, court);
  } catch (error) {
    if (!options.signal.aborted) throw error;
    return { summary: null, ok: options.rides === undefined, remarks: [] };
  } finally {
    await court.close();
  }
}

async function live(
  options: CityOptions,
  pickups: readonly Pickup[],
  start: number,
  plans: Generator<RidePlan, never>,
  court: Court,
): Promise<CityResult> {
  const { signal, seed, report } = options;
  const startedAt = performance.now();
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', end);
  signal.throwIfAborted();

  const record = createRecord({ keep: options.rides !== undefined });
  const clock = createCityClock(start, options.speed, over.signal);
  const wire = createWire(options.apiUrl);
  const app = { wire, mint: options.mint, measures: record, signal: over.signal, waitReal: clock.waitReal };
  const street = createStreet(app, clock, seed);
  const mailbox = await openMailbox((post) => void record.memories.posts.push(post));
  const kit = { app, clock, street, mailbox, record, seed };
  const givenUp = (error: unknown): void => void (over.signal.aborted || record.surprised(error));

  report.line(`city: ${options.drivers} drivers, speed x${options.speed}, seed ${seed}`);
  const fleet = startFleet(options.drivers, pickups, kit, givenUp);
  const watching = watchCity(
    { report, record, clock, drivers: fleet.size, wanted: options.rides ?? null, court },
    over.signal,
  );
  try {
    await fleet.ready;
    await listenToAll(kit);
    clock.begin();
    const dealt = await sendRiders(plans, options.rides, kit, givenUp);
    const unended = await settle(() => court.liveRides(), RIDES_END_WITHIN_MS, over.signal);
    over.abort(new Error('the city is over'));
    await watching;
    return await verdict(options, { court, record, dealt, unended, startedAt });
  } finally {
    over.abort(new Error('the city is over'));
    signal.removeEventListener('abort', end);
    wire.close();
    await mailbox.close();
    await watching;
  }
}

/** The city's own operator is told of every ride. */
function listenToAll({ app, mailbox, record }: RiderKit): Promise<void> {
  const ownerId = 'city-operator';
  const owner = { role: 'operator', ownerId } as const;
  return registerWebhook(createApp(app, 'operator', ownerId), owner, {
    ...{ mailbox, record },
    startsLate: false,
  });
}

/** Sends a rider for each plan at its time, `count` or for ever; resolves when the last of them is done. */
async function sendRiders(
  plans: Generator<RidePlan, never>,
  count: number | undefined,
  kit: RiderKit,
  givenUp: (error: unknown) => void,
): Promise<RidePlan[]> {
  const dealt: RidePlan[] = [];
  const riders = new Set<Promise<void>>();
  for (let sent = 0; count === undefined || sent < count; sent++) {
    const plan = plans.next().value;
    await kit.clock.waitUntil(plan.requestAt);
    while (riders.size >= MOST_RIDERS) await Promise.race(riders);
    const rider = liveRide(plan, kit)
      .catch(givenUp)
      .finally(() => riders.delete(rider));
    riders.add(rider);
    if (count !== undefined) dealt.push(plan);
  }
  await Promise.all(riders);
  kit.app.signal.throwIfAborted();
  return dealt;
}

interface Run {
  readonly court: Court;
  readonly record: CityRecord;
  readonly dealt: readonly RidePlan[];
  /** What was still waited for when the drivers went home. */
  readonly unended: readonly string[];
  readonly startedAt: number;
}

async function verdict(options: CityOptions, run: Run): Promise<CityResult> {
  const { court, record, dealt, startedAt } = run;
  options.report.line('city: all rides have ended, waiting until they are settled and published');
  const unsettled = await settle(() => court.unsettled(record.memories), SETTLED_WITHIN_MS, options.signal);
  const evidence = await court.load(record.memories, options.speed);
  const judgement = judge(evidence);
  const seconds = (performance.now() - startedAt) / 1_000;
  const against = objections(evidence, judgement, dealt);
  return {
    summary: summarize(evidence, judgement, { speed: options.speed, seconds }),
    ok: against.length === 0,
    remarks: [
      ...against,
      ...[...run.unended, ...unsettled].map((what) => `waited in vain for ${what}`),
      ...[...record.surprises].map(([words, times]) => `seen ${times} times: ${words}`),
    ],
  };
}
