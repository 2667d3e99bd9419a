import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils';
import {
  disputeWorkflowId,
  lateRefundsWorkflowId,
  paymentWorkflowId,
  payoutSchedule,
  payoutWorkflowId,
  reconciliationSchedule,
  rideWorkflowId,
  scheduledRideWorkflowId,
} from '../../domain/names';

/** The workflows of one ride; not every ride has all of them. */
export const rideCarriers = {
  scheduled: scheduledRideWorkflowId,
  ride: rideWorkflowId,
  payment: paymentWorkflowId,
} as const;
/** All that is recorded. */
export const carriers = {
  ...rideCarriers,
  dispute: disputeWorkflowId,
  payout: payoutWorkflowId,
  lateRefunds: lateRefundsWorkflowId,
  reconciliation: (name: string) => `${reconciliationSchedule.workflowId}-${name}`,
  payoutBatch: (name: string) => `${payoutSchedule.workflowId}-${name}`,
} as const;
export type Carrier = keyof typeof carriers;

/** The histories of a ride that went one way, as Temporal's JSON. */
export type Recorded = Readonly<Partial<Record<Carrier, unknown>>>;

export const historiesDir = join(__dirname, 'histories');

/** What code of before has made, of ways that a workflow which waits on no version has gone with it. Kept as it is. */
export const earlierDir = join(__dirname, 'earlier');

export function readHistories(dir = historiesDir): Map<string, Recorded> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      JSON.parse(readFileSync(join(dir, file), 'utf8')) as Recorded,
    ]),
  );
}

export function writeHistories(name: string, histories: readonly (readonly [Carrier, History])[]): void {
  const recorded = Object.fromEntries(histories.map(([carrier, history]) => [carrier, neutral(history)]));
  writeFileSync(join(historiesDir, `${name}.json`), `${JSON.stringify(recorded)}\n`);
}

/** Without what tells of the machine that it was recorded on; a replay does not look at that. */
const neutral = (history: History): unknown =>
  JSON.parse(historyToJSON(history), (key, value: unknown) => {
    if (key === 'identity') return 'recorder';
    if (key === 'stackTrace') return '';
    if (key === 'workerVersion') return undefined;
    if (key === 'taskQueue' && (value as StickyQueue).normalName)
      return { ...(value as object), name: 'sticky' };
    return value;
  });

/** A worker's own queue is named after its machine. */
interface StickyQueue {
  readonly normalName?: string;
}
