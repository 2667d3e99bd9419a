import { seededRandom, type Random } from '../../city/random';
import { calls, inWords, points, type Call, type Cell } from './cells';
import { startHouse, type Ground, type House } from './house';
import { stories, type Dying } from './stories';

/** What a crash has led to. */
export interface Found {
  readonly call: Call;
  /** The moment, in words. */
  readonly when: string;
  /** What was wrong afterwards; nothing where all is well. */
  readonly wrong: readonly string[];
}

export interface SweepOptions {
  /** How many houses crash at once. */
  readonly atOnce: number;
  /** How often each call is also killed at no moment in particular. */
  readonly anyMoments: number;
  /** The same crashes in the same order for the same seed. */
  readonly seed: number;
  readonly onFound?: (found: Found) => void;
}

/** A call takes about this long where nothing goes wrong. */
const LATEST_MOMENT_MS = 400;

/** Kills the worker at each moment of each call once, each story to its end, and holds what came of it against the provider. */
export async function sweep(ground: Ground, options: SweepOptions): Promise<Found[]> {
  const { atOnce, onFound } = options;
  const left = [...calls];
  const found: Found[] = [];
  const note = (one: Found): void => {
    found.push(one);
    onFound?.(one);
  };
  const hand = async (): Promise<void> => {
    const house = await startHouse(ground);
    try {
      for (let call = left.shift(); call; call = left.shift()) await crashAll(house, call, options, note);
    } finally {
      await house.stop();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, hand));
  return found.sort((a, b) => calls.indexOf(a.call) - calls.indexOf(b.call));
}

async function crashAll(
  house: House,
  call: Call,
  { anyMoments, seed }: SweepOptions,
  note: (found: Found) => void,
): Promise<void> {
  const random: Random = seededRandom(seed, 'payments', call);
  const crash = async (when: string, dying: Dying): Promise<void> => {
    try {
      note({ call, when, wrong: await stories[call](house, dying) });
    } catch (error) {
      note({ call, when, wrong: [error instanceof Error ? error.message : String(error)] });
    }
  };
  for (const point of random.shuffle(points)) {
    const cell: Cell = { call, point };
    await crash(inWords(cell), (act) => house.dieDuring(cell, act));
  }
  for (let i = 0; i < anyMoments; i += 1) {
    const ms = Math.round(random.between(0, LATEST_MOMENT_MS));
    await crash(`${call}, ${ms} ms after its begin`, (act) => house.dieAfter(ms, act));
  }
}
