import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/**
 * What goes wrong. `before`: nothing has happened and no answer is stored, a repeat runs. `after`: the effect
 * stands and is durable; then the connection is cut (`drop_after`: the true answer is stored under the key) or
 * a 500 is answered and stored under the key. `delay` waits before the effect, with the key taken.
 */
export const faultSchema = z.strictObject({
  match: z
    .strictObject({
      method: z.enum(['GET', 'POST']).optional(),
      /** A whole path; `*` stands for any characters in it. */
      path: z.string().startsWith('/').optional(),
    })
    .default({}),
  kind: z.enum(['error500_before', 'error500_after', 'drop_before', 'drop_after', 'delay', 'unavailable']),
  times: z.int().positive().default(1),
  delayMs: z.int().nonnegative().max(600_000).default(0),
});

export type Fault = z.output<typeof faultSchema>;

/** Faults on demand, in memory. The first one that matches a request is used up by one. */
export class Faults {
  private readonly closing = new AbortController();
  private waiting: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.waiting.push({ fault, left: fault.times });
  }

  clear(): void {
    this.waiting = [];
  }

  /** What has not happened yet. */
  list(): (Fault & { readonly left: number })[] {
    return this.waiting.map(({ fault, left }) => ({ ...fault, left }));
  }

  take(method: string, path: string): Fault | null {
    const hit = this.waiting.find(({ fault }) => matches(fault, method, path));
    if (hit === undefined) return null;
    hit.left -= 1;
    if (hit.left === 0) this.waiting = this.waiting.filter((other) => other !== hit);
    return hit.fault;
  }

  /** Waits if the fault says so; rejects when the sandbox closes meanwhile. */
  async delay(fault: Fault | null): Promise<void> {
    if (fault?.kind === 'delay') await sleep(fault.delayMs, undefined, { signal: this.closing.signal });
  }

  close(): void {
    this.closing.abort();
  }
}

function matches({ match }: Fault, method: string, path: string): boolean {
  if (match.method !== undefined && match.method !== method) return false;
  if (match.path === undefined) return true;
  const pattern = match.path
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(path);
}
