import { openFactLog } from '../../replay/factLog';
import { replayWhole } from '../../replay/whole';
import type { Victim } from './cells';
import { log, openSite, startConsumer, startRelay, type Site } from './site';
import { things } from './things';
import { wrongWays, type WrongWay } from './wrong/ways';

/** What a process is told, as JSON in its first argument. */
export interface WorkerOrder {
  readonly victim: Victim;
  /** What it is instead of Hailway's own. */
  readonly wrong: WrongWay | null;
  readonly site: Site;
}

/** What it says: after each joining of the group, which partitions are its own. */
export interface WorkerNews {
  readonly assigned: readonly number[];
}

const { victim, wrong, site } = JSON.parse(process.argv[2]!) as WorkerOrder;
process.on('disconnect', () => process.exit(1));
const onAssigned = (assigned: readonly number[]): void =>
  void process.send?.({ assigned } satisfies WorkerNews);

/** As `npx hailway replay` does it. */
async function replay(): Promise<void> {
  const { kafka, pool, databaseUrl, group, topic } = openSite(site);
  const facts = await openFactLog({ kafka, audit: pool, auditGroup: 'nobody', topics: [topic], log });
  await replayWhole({
    ...{ projection: things, databaseUrl, group, log: facts },
    ...{ isNew: false, checkOnly: false, say: () => {} },
  });
}

if (wrong !== null) void wrongWays[wrong].run(site);
else if (victim === 'relay') startRelay(site);
else if (victim === 'consumer') startConsumer(site, onAssigned);
else
  replay().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('the replay failed:', error);
      process.exit(1);
    },
  );
