import { wait } from '../../../platform/wait';
import { seededRandom, type Random } from '../../city/random';
import { inWords, type Cell } from './cells';
import { openCrashSite, type CrashSite, type Ground } from './crashSite';
import type { Held } from './doors';
import { judge, type Violation } from './judge';
import { startLoad, type Load } from './load';
import type { Mortal } from './mortal';
import { partitions } from './site';
import { until, untilWorkGoesOn } from './until';
import { wrongWays, type WrongWay } from './wrong/ways';

const FACTS_PER_SECOND = 40;
const HIT_WITHIN_MS = 60_000;
/** Longer than a lane's lease (3 s) and a consumer's session (10 s). */
const STOPPED_MS = 12_000;
const MOST_BEFORE = 4;

/** Hits ours at a cell, lets it come back, and judges. */
export const crash = (ground: Ground, cell: Cell, seed: number): Promise<Violation[]> =>
  play(ground, cell, { seed, wrong: null });

/** So much is recorded while it goes wrong, and it is not waited for that it comes back to what is right. */
const WRONG_FACTS = 240;
const WRONG_MS = 5_000;
/** The same of what goes a wrong way. */
export const crashWrong = (ground: Ground, wrong: WrongWay, seed: number): Promise<Violation[]> =>
  play(ground, wrongWays[wrong].cell, { seed, wrong });

async function play(
  ground: Ground,
  cell: Cell,
  { seed, wrong }: { readonly seed: number; readonly wrong: WrongWay | null },
): Promise<Violation[]> {
  const random = seededRandom(seed, inWords(cell));
  const site = await openCrashSite(ground, wrong);
  try {
    // Of a dead letter there is one, and before lanes are taken nothing is read.
    const isFirst = cell.point === 'letterStored' || cell.point === 'claimed';
    const after = isFirst ? 0 : Math.floor(random.between(0, MOST_BEFORE));
    const met = site.arm(cell.point, after);
    const poison = wrong === null;
    const load = startLoad(site.pool, site.topic, { random, factsPerSecond: FACTS_PER_SECOND, poison });
    const stuck: Violation[] = [];
    try {
      await (cell.victim === 'replay' ? crashReplay : crashWorker)({ site, cell, load, met, random });
      if (wrong !== null) await untilWorkGoesOn(site, load, WRONG_FACTS);
    } catch (error) {
      // Who loses a fact of each key has no effects any more: what was lost is to be said all the same.
      stuck.push({ invariant: 'goesOn', seen: (error as Error).message });
    } finally {
      await load.stop();
    }
    return [...stuck, ...(await judge(site, load, wrong === null ? {} : { settledWithinMs: WRONG_MS }))];
  } finally {
    await site.close();
  }
}

interface Scene {
  readonly site: CrashSite;
  readonly cell: Cell;
  readonly load: Load;
  /** When the process is at the cell's point. */
  readonly met: Promise<Held>;
  readonly random: Random;
}

/** The clock runs from when the victim is started: what is started beside it, and the load before it, take their time. */
async function untilMet({ met }: Scene, mortal: Mortal): Promise<Held> {
  let late: NodeJS.Timeout | undefined;
  const never = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new Error('the moment never came')), HIT_WITHIN_MS);
  });
  const gone = mortal.exited.then((code): never => {
    throw new Error(`it ended before the moment, with ${code}`);
  });
  gone.catch(() => {});
  try {
    return await Promise.race([met, never, gone]);
  } finally {
    clearTimeout(late);
  }
}

async function crashWorker(scene: Scene): Promise<void> {
  const { site, cell, load } = scene;
  const victim = cell.victim as 'relay' | 'consumer';
  site.startBeside(victim === 'relay' ? 'consumer' : 'relay');
  const mortal = site.startVictim(victim);
  const held = await untilMet(scene, mortal);
  if (cell.point === 'revoked') await revoke(site, mortal);
  if (cell.way === 'cut') held.cut();
  else if (cell.way === 'kill') {
    await mortal.kill();
    held.cut();
    site.startVictim(victim);
  } else await stop(scene, mortal, held);
  await untilWorkGoesOn(site, load);
}

/** Once it is in the middle of a transaction for each of its partitions, another member joins the group. */
async function revoke(site: CrashSite, mortal: Mortal): Promise<void> {
  const before = mortal.assigned().partitions.length;
  await until('all partitions are in work', async () => {
    const { rowCount } = await site.pool.query(
      `select from pg_stat_activity
       where datname = current_database() and application_name = 'consumer' and state = 'idle in transaction'`,
    );
    return rowCount === before;
  });
  const others = site.startBeside('consumer');
  await until(
    'partitions are revoked',
    () => others().length > 0 && mortal.assigned().partitions.length < before,
  );
}

async function stop({ site, cell, random }: Scene, mortal: Mortal, held: Held): Promise<void> {
  mortal.freeze();
  const told = mortal.assigned().times;
  const others = site.startBeside(cell.victim as 'relay' | 'consumer');
  const isTaken = async (): Promise<boolean> =>
    cell.victim === 'consumer' ? others().length === partitions : (await ownersOf(site)) === '8';
  await Promise.all([wait(STOPPED_MS), until('all that it had is taken', isTaken)]);
  mortal.thaw();
  // What it waited for comes late, or never.
  held[random.chance(0.5) ? 'pass' : 'cut']();
  const isBack = async (): Promise<boolean> =>
    cell.victim === 'consumer' ? mortal.assigned().times > told : (await ownersOf(site)) === '4,4';
  await until('it is back', isBack);
}

/** How many lanes each relay has. */
async function ownersOf({ pool }: CrashSite): Promise<string> {
  const { rows } = await pool.query<{ lanes: number }>(
    `select count(*) as lanes from relay_lanes where leased_until > clock_timestamp() group by owner order by 1`,
  );
  return rows.map(({ lanes }) => lanes).join();
}

/** A replay beside a live consumer; where it did not come to its end, another one does. */
async function crashReplay(scene: Scene): Promise<void> {
  const { site, cell, load } = scene;
  site.startBeside('relay');
  site.startBeside('consumer');
  await untilWorkGoesOn(site, load);
  const mortal = site.startVictim('replay');
  const held = await untilMet(scene, mortal);
  if (cell.way === 'kill') {
    await mortal.kill();
    held.cut();
  } else if (cell.way === 'cut') held.cut();
  else {
    mortal.freeze();
    await wait(STOPPED_MS);
    mortal.thaw();
    held.pass();
  }
  if ((await mortal.exited) !== 0 && (await site.startVictim('replay').exited) !== 0)
    throw new Error('the second replay failed');
  await untilWorkGoesOn(site, load);
}
