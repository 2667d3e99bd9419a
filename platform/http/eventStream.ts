import type { Request, Response } from 'express';
import { appStateOf, contextOf, type EventStream, type ServerEvent } from './context';

export interface EventStreamOptions {
  /** A stream that says nothing says so this often, in milliseconds (15 s): proxies close what is silent. */
  readonly heartbeatMs?: number;
  /** Bytes that may wait for a slow reader (128 KiB). */
  readonly maxBufferedBytes?: number;
  /** Told to the client: how long to wait before it connects again, in milliseconds (1 s). */
  readonly retryMs?: number;
}

const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, ' ');

/** Heartbeats are spread over so many ticks: ten thousand writes at once would hold up everybody else. */
const groups = 15;

/**
 * All event streams of a server. One timer serves them all, and nothing is kept for a stream beside its response: a
 * server has ten thousand of them.
 */
export class EventStreams {
  readonly #options: Required<EventStreamOptions>;
  readonly #groups: readonly Set<OpenStream>[] = Array.from({ length: groups }, () => new Set<OpenStream>());
  #opened = 0;
  #open = 0;
  #ticks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({
    heartbeatMs = 15_000,
    maxBufferedBytes = 128 * 1024,
    retryMs = 1_000,
  }: EventStreamOptions = {}) {
    this.#options = { heartbeatMs, maxBufferedBytes, retryMs };
  }

  /** How many are open. */
  get size(): number {
    return this.#open;
  }

  open(res: Response, lastEventId: string | undefined): OpenStream {
    const { heartbeatMs, maxBufferedBytes, retryMs } = this.#options;
    const group = this.#groups[this.#opened++ % groups]!;
    const stream = new OpenStream(res, lastEventId, maxBufferedBytes, () => {
      group.delete(stream);
      this.#open -= 1;
      if (this.#open === 0) clearInterval(this.#timer);
    });
    group.add(stream);
    this.#open += 1;
    if (this.#open === 1) this.#timer = setInterval(() => this.#tick(), heartbeatMs / groups);
    stream.write(`retry: ${retryMs}\n\n`);
    return stream;
  }

  closeAll(): void {
    for (const group of this.#groups) for (const stream of group) stream.close();
  }

  #tick(): void {
    for (const stream of this.#groups[this.#ticks++ % groups]!) stream.beat();
  }
}

class OpenStream implements EventStream {
  readonly #res: Response;
  readonly #maxBufferedBytes: number;
  #leave: (() => void) | undefined;
  #onEnd: (() => void) | undefined;
  #inQuestion = false;
  /** Bytes that were unread at the last heartbeat. */
  #unread = 0;

  constructor(
    res: Response,
    readonly lastEventId: string | undefined,
    maxBufferedBytes: number,
    leave: () => void,
  ) {
    this.#res = res;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#leave = leave;
    res.on('close', () => this.#finish());
  }

  get ended(): boolean {
    return this.#leave === undefined;
  }

  get unreadBytes(): number {
    return this.#res.writableLength;
  }

  onEnd(listener: () => void): void {
    if (this.ended) listener();
    else this.#onEnd = listener;
  }

  send({ id, event, data }: ServerEvent): boolean {
    return this.write(
      (id === undefined ? '' : `id: ${oneLine(id)}\n`) +
        (event === undefined ? '' : `event: ${oneLine(event)}\n`) +
        `data: ${JSON.stringify(data)}\n\n`,
    );
  }

  write(text: string): boolean {
    if (this.ended) return false;
    this.#res.write(text);
    if (this.#tooMuchUnread() && !this.#inQuestion) {
      this.#inQuestion = true;
      // What is written in one go leaves the process after it: only then is it known what the reader leaves unread.
      setImmediate(() => {
        this.#inQuestion = false;
        if (!this.ended && this.#tooMuchUnread()) this.#cutOff();
      });
    }
    return true;
  }

  #tooMuchUnread(): boolean {
    return this.#res.writableLength > this.#maxBufferedBytes;
  }

  /** Who has something to read needs no heartbeat; who has read none of it since the last one is cut off. */
  beat(): void {
    const unread = this.#res.writableLength;
    if (unread > 0 && unread >= this.#unread && this.#unread > 0) return this.#cutOff();
    this.#unread = unread;
    if (unread === 0) this.write(': heartbeat\n\n');
  }

  close(): void {
    if (this.ended) return;
    this.#finish();
    this.#res.end();
  }

  #cutOff(): void {
    this.#finish();
    this.#res.destroy();
  }

  #finish(): void {
    const [leave, onEnd] = [this.#leave, this.#onEnd];
    this.#leave = this.#onEnd = undefined;
    leave?.();
    onEnd?.();
  }
}

/** Headers of before that a stream keeps. Those for pages say nothing of it, and each is held while it is open. */
const kept: ReadonlySet<string> = new Set([
  ...['x-request-id', 'x-content-type-options', 'strict-transport-security', 'connection'],
]);

/**
 * Answers with server-sent events. The request's deadline no longer applies; heartbeat comments keep proxies
 * from closing, and a reader that leaves more than `maxBufferedBytes` unread, or reads nothing between two heartbeats,
 * is cut off (it reconnects with Last-Event-ID, so nothing is lost and no memory is held for it).
 */
export function openEventStream(req: Request, res: Response): EventStream {
  const { streams, stopping } = appStateOf(req);
  contextOf(req).liftDeadline();
  for (const name of res.getHeaderNames()) if (!kept.has(name)) res.removeHeader(name);
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
  const stream = streams.open(res, req.get('last-event-id'));
  // Opened in the moment of stopping: nobody else would end it.
  if (stopping || res.destroyed) stream.close();
  return stream;
}
