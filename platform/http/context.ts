import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';

/** Who calls: the token's subject and role. */
export interface Caller {
  readonly sub: string;
  readonly role: string;
}

/** What platform/http knows of a request in hand; kept beside it, so that Express's types stay as they are. */
export interface RequestContext {
  readonly id: string;
  /** Aborted at the request's deadline and when the client has gone: pass it to whatever is called. */
  readonly signal: AbortSignal;
  /** For answers that go on (event streams): the deadline no longer applies. */
  readonly liftDeadline: () => void;
}

export interface ServerEvent {
  /** Comes back as Last-Event-ID when the client reconnects. */
  readonly id?: string;
  readonly event?: string;
  /** Sent as one line of JSON. */
  readonly data: unknown;
}

export interface EventStream {
  /** The id of the last event that the client has seen, on a reconnect. */
  readonly lastEventId: string | undefined;
  /** Whether it is over, whoever ended it. */
  readonly ended: boolean;
  /** Bytes that the reader has not taken yet: who sends a picture, not a story, sends nothing while there are some. */
  readonly unreadBytes: number;
  /** Calls once when the stream is over: at once where it is already. One listener, the last one given. */
  onEnd(listener: () => void): void;
  /** False when the stream is over; a reader that does not keep up is cut off here. */
  send(event: ServerEvent): boolean;
  /** Ends the stream in order. */
  close(): void;
}

/** What an app shares with the server that it listens on. */
export interface AppState {
  /** No longer ready: connections are told to close after their answer. */
  stopping: boolean;
  /** Sees each request first, and takes those that are for direct routes. */
  takeDirect?: (req: IncomingMessage, res: ServerResponse) => boolean;
  /** All that are open. */
  readonly streams: {
    open(res: Response, lastEventId: string | undefined): EventStream;
    closeAll(): void;
  };
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the way Express is extended
  namespace Express {
    interface Request {
      caller?: Caller;
      context?: RequestContext;
    }
  }
}

/** @throws Error when the request did not come through `createHttpApp`. */
export function contextOf(req: Request): RequestContext {
  if (req.context === undefined) throw new Error('the request has no context: use createHttpApp');
  return req.context;
}

export function appStateOf(target: Request | Response): AppState {
  return target.app.locals.hailway as AppState;
}
