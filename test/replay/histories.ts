import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils';

/** The histories of a ride and of its payment that went one way, as Temporal's JSON. */
export interface Recorded {
  readonly ride: unknown;
  readonly payment: unknown;
}

export const historiesDir = join(__dirname, 'histories');

export function readHistories(): Map<string, Recorded> {
  const files = readdirSync(historiesDir).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      JSON.parse(readFileSync(join(historiesDir, file), 'utf8')) as Recorded,
    ]),
  );
}

export function writeHistories(name: string, { ride, payment }: { ride: History; payment: History }): void {
  const recorded = { ride: neutral(ride), payment: neutral(payment) };
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
