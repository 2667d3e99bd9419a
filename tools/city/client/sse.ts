import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from './app';
import type { Wire } from './http';

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: unknown;
}

/** A stream that says nothing for this long is dead, whatever the connection looks like: servers send comments. */
const SILENCE_MS = 40_000;
const PAUSE_MS = 1_000;

/**
 * The events of a stream (text/event-stream), for ever: when it ends or breaks it is opened again after the last
 * event that was seen. Ends only by the app's signal, whose reason it throws, or by the caller's break.
 */
export async function* streamEvents(
  wire: Wire,
  app: App,
  path: string,
): AsyncGenerator<StreamEvent, never, undefined> {
  let lastId: string | null = null;
  let refused = false;
  for (;;) {
    app.signal.throwIfAborted();
    let response: IncomingMessage | undefined;
    try {
      const headers: Record<string, string> = {
        accept: 'text/event-stream',
        ...(await app.authorization(refused)),
        ...(lastId === null ? {} : { 'last-event-id': lastId }),
      };
      response = await wire.open({ method: 'GET', path, headers }, app.signal, SILENCE_MS);
      refused = response.statusCode === 401;
      if (response.statusCode === 200) {
        for await (const event of parseEvents(response)) {
          if (event.id !== null) lastId = event.id;
          yield event;
        }
      }
    } catch {
      // Broken, silent or refused: what follows is the same for all.
    } finally {
      response?.destroy();
    }
    app.signal.throwIfAborted();
    await sleep(PAUSE_MS * (0.5 + Math.random()), undefined, { signal: app.signal });
  }
}

/** Events of one response until it ends. */
export async function* parseEvents(
  response: IncomingMessage | AsyncIterable<string>,
): AsyncGenerator<StreamEvent> {
  if ('setEncoding' in response) response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const blocks = (rest + (chunk as string)).replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

function parseEvent(block: string): StreamEvent | null {
  let id: string | null = null;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value ?? null;
    if (field === 'event') event = value ?? event;
    if (field === 'data') data.push(value ?? '');
  }
  return data.length === 0 ? null : { id, event, data: JSON.parse(data.join('\n')) };
}
