import { Agent, request as send, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as sendSecure } from 'node:https';

/** One answer of the API. `body` is the parsed JSON, or the text where it is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The wire: one agent for the whole city, connections kept alive. */
export interface Wire {
  /** One attempt. Throws when the server fell silent or broke off, or when the signal says stop. */
  call(call: Call, signal: AbortSignal): Promise<Answer>;
  /** Sends and leaves the reading to the caller; breaks off when nothing comes for `silenceMs`. */
  open(call: Call, signal: AbortSignal, silenceMs: number): Promise<IncomingMessage>;
  close(): void;
}

const ANSWER_WITHIN_MS = 15_000;

export function createWire(baseUrl: string): Wire {
  const base = new URL(baseUrl);
  const secure = base.protocol === 'https:';
  const agent = secure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });

  const open = (call: Call, signal: AbortSignal, silenceMs: number): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = call.body === undefined ? null : JSON.stringify(call.body);
      const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
      if (body !== null) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = String(Buffer.byteLength(body));
      }
      const options = { method: call.method, agent, headers, signal, timeout: silenceMs };
      const request = (secure ? sendSecure : send)(new URL(call.path, base), options, resolve);
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error(`silent for ${silenceMs} ms`)));
      request.end(body ?? undefined);
    });

  return {
    open,
    async call(call, signal) {
      const response = await open(call, signal, ANSWER_WITHIN_MS);
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk as string;
      return {
        status: response.statusCode ?? 0,
        body: parsed(text),
        retryAfterMs: retryAfterMs(response.headers['retry-after']),
      };
    },
    close: () => agent.destroy(),
  };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Seconds, or a date, as RFC 9110 has it. */
function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}
