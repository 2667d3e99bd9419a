import type { Request, Response } from 'express';
import { appStateOf, contextOf, type EventStream } from './context';

export interface EventStreamOptions {
  readonly heartbeatMs?: number;
  /** Bytes that may wait for a slow reader. */
  readonly maxBufferedBytes?: number;
  /** Told to the client: how long to wait before it connects again. */
  readonly retryMs?: number;
}

const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, ' ');

/**
 * Answers with server-sent events. The request's deadline no longer applies; heartbeat comments keep proxies
 * from closing, and a reader that leaves more than `maxBufferedBytes` unread is cut off (it reconnects with
 * Last-Event-ID, so nothing is lost and no memory is held for it).
 */
export function openEventStream(req: Request, res: Response, options: EventStreamOptions = {}): EventStream {
  const { heartbeatMs = 15_000, maxBufferedBytes = 256 * 1024, retryMs = 1_000 } = options;
  const { streams, stopping } = appStateOf(req);
  const over = new AbortController();
  contextOf(req).liftDeadline();

  const write = (text: string): boolean => {
    if (over.signal.aborted) return false;
    res.write(text);
    if (res.writableLength <= maxBufferedBytes) return true;
    finish();
    res.destroy();
    return false;
  };
  const heartbeat = setInterval(() => write(': heartbeat\n\n'), heartbeatMs);
  const finish = (): void => {
    clearInterval(heartbeat);
    streams.delete(stream);
    over.abort();
  };

  const stream: EventStream = {
    lastEventId: req.get('last-event-id'),
    signal: over.signal,
    send: ({ id, event, data }) =>
      write(
        (id === undefined ? '' : `id: ${oneLine(id)}\n`) +
          (event === undefined ? '' : `event: ${oneLine(event)}\n`) +
          `data: ${JSON.stringify(data)}\n\n`,
      ),
    close: () => {
      if (over.signal.aborted) return;
      finish();
      res.end();
    },
  };

  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
  streams.add(stream);
  res.on('close', finish);
  write(`retry: ${retryMs}\n\n`);
  // Opened in the moment of stopping: nobody else would end it.
  if (stopping || res.destroyed) stream.close();
  return stream;
}
