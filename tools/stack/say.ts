import type { Writable } from 'node:stream';

/** What the stack tells the person in front of it. */
export interface Say {
  line(text: string): void;
  /**
   * Shows `text` with its elapsed time while `work` goes on, if that takes longer than two seconds: rewritten in place
   * on a terminal, otherwise a line every ten seconds. `work` may change the text.
   */
  during<T>(text: string, work: (change: (text: string) => void) => Promise<T>): Promise<T>;
  /** On a terminal only: lines that stay at the bottom, each time drawn over those before. */
  readonly table?: ((lines: readonly string[]) => void) | undefined;
}

const SHOW_AFTER_MS = 2_000;
const LINE_EVERY_MS = 10_000;

/** For tests and tools that have nobody in front of them. */
export const silent: Say = { line: () => {}, during: (_text, work) => work(() => {}) };

interface Task {
  text: string;
  readonly startedAt: number;
  shownAt: number;
}

/** @param out stderr when stdout belongs to a JSON answer. */
export function createSay(out: Writable & { isTTY?: boolean; columns?: number; rows?: number }): Say {
  const tasks = new Set<Task>();
  let ticker: NodeJS.Timeout | undefined;
  let statusShown = false;
  let table: readonly string[] = [];
  let tableShown = 0;

  const clearStatus = (): void => {
    if (statusShown) out.write('\r\x1b[K');
    if (tableShown > 0) out.write(`\x1b[${tableShown}A\x1b[0J`);
    statusShown = false;
    tableShown = 0;
  };
  // A line that wraps, or a table taller than the screen, could not be drawn over.
  const drawTable = (): void => {
    const lines = table.slice(0, (out.rows || 24) - 2);
    for (const line of lines) out.write(`${line.slice(0, (out.columns || 80) - 1)}\n`);
    tableShown = lines.length;
  };
  const tick = (): void => {
    const now = Date.now();
    const long = [...tasks].filter((task) => now - task.startedAt >= SHOW_AFTER_MS);
    const elapsed = (task: Task): string => `${task.text} … ${Math.round((now - task.startedAt) / 1_000)} s`;
    if (out.isTTY) {
      if (long.length === 0 && !statusShown) return;
      clearStatus();
      drawTable();
      if (long.length === 0) return;
      out.write(
        long
          .map(elapsed)
          .join(' · ')
          .slice(0, (out.columns || 80) - 1),
      );
      statusShown = true;
      return;
    }
    for (const task of long) {
      if (now - task.shownAt < LINE_EVERY_MS) continue;
      task.shownAt = now;
      out.write(`${elapsed(task)}\n`);
    }
  };
  return {
    line(text) {
      clearStatus();
      out.write(`${text}\n`);
      if (!out.isTTY) return;
      drawTable();
      tick();
    },
    table: out.isTTY
      ? (lines) => {
          clearStatus();
          table = lines;
          drawTable();
        }
      : undefined,
    async during(text, work) {
      const task: Task = { text, startedAt: Date.now(), shownAt: 0 };
      tasks.add(task);
      ticker ??= setInterval(tick, 500);
      try {
        return await work((changed) => (task.text = changed));
      } finally {
        tasks.delete(task);
        if (tasks.size === 0) {
          clearInterval(ticker);
          ticker = undefined;
        }
        if (out.isTTY) tick();
      }
    },
  };
}
