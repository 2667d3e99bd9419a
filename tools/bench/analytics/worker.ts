import { analytics } from '../../../consumers/analytics/projection';
import type { LogOrder } from '../inbox/progress';
import { readingOf } from '../inbox/reading';

/** What a contestant's process is told, as JSON in its first argument. */
export interface WorkerOrder extends LogOrder {
  readonly contestant: 'naive' | 'hailway';
}

const order = JSON.parse(process.argv[2]!) as WorkerOrder;
const { factByFact, inInbox, run } = readingOf(order);
const { handle, skip } = analytics;

const contestants: Readonly<Record<WorkerOrder['contestant'], () => Promise<void>>> = {
  /** Each fact a transaction; what is done with it is the same. */
  naive: () => factByFact({ handle, skip }),
  hailway: () => inInbox({ handle, skip }),
};

void run(contestants[order.contestant]);
