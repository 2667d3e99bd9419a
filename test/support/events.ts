import type { Api, Body } from './api';

export interface SentEvent {
  readonly id?: string;
  readonly event?: string;
  /** The fields that tests read; `toMatchObject` looks at the others. */
  readonly data: { readonly offerId: string; readonly rideId: string; readonly ride: Body };
}

export interface Events {
  /** The next event, or the next of this name; fails when the stream ends or after 10 s. */
  next(name?: string): Promise<SentEvent>;
  /** Whether the server has ended the stream with nothing left to read; waits until there is something to say. */
  ended(): Promise<boolean>;
  close(): void;
}

/** Reads server-sent events as a client would. */
export async function openEvents(
  api: Api,
  path: string,
  as: readonly [string, string],
  lastEventId?: string,
): Promise<Events> {
  const abort = new AbortController();
  const response = await fetch(`${api.url}${path}`, {
    signal: abort.signal,
    headers: {
      authorization: `Bearer ${await api.token(...as)}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  if (response.status !== 200 || !response.body) throw new Error(`${path} answered ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const events: SentEvent[] = [];
  let text = '';
  let over = false;

  async function read(): Promise<void> {
    const timeout = setTimeout(() => abort.abort(new Error('no event within 10 s')), 10_000);
    const { value, done } = await reader.read().finally(() => clearTimeout(timeout));
    over ||= done;
    const blocks = (text + (value ?? '')).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields['data'] !== undefined)
        events.push({ ...fields, data: JSON.parse(fields['data']) as SentEvent['data'] });
    }
  }

  return {
    async next(name) {
      for (;;) {
        const event = events.shift();
        if (event && (name === undefined || event.event === name)) return event;
        if (event) continue;
        if (over) throw new Error('the stream has ended');
        await read();
      }
    },
    async ended() {
      while (events.length === 0 && !over) await read();
      return events.length === 0;
    },
    close: () => abort.abort(),
  };
}
