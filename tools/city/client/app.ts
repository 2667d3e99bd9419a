import type { Answer, Call, Wire } from './http';

/** The API said no: `code` is the last part of the problem's type, `details` the problem itself. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly details: Readonly<Record<string, unknown>>,
    what: string,
  ) {
    super(`${what}: ${status} ${code}`);
  }
}

/** What the app has seen of the API; shown on screen. */
export interface AppMeasures {
  /** Called with the duration of each attempt that was answered, in milliseconds. */
  answered(call: Call, status: number, ms: number): void;
  /** Called before an attempt is repeated. */
  retried(call: Call, why: string): void;
}

/** Makes a token for a role and a subject. */
export type Mint = (role: 'rider' | 'driver' | 'operator', subject: string) => Promise<string>;

/** The app in one person's hand. */
export interface App {
  /**
   * Asks until there is an answer: no connection, 429 and 5xx are repeated, for as long as it takes.
   * @throws Refused on any other 4xx; the signal's reason when the city ends
   */
  ask(call: Call): Promise<Answer>;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
  /** Headers that say who asks; for streams. `fresh` after the old token was refused. */
  authorization(fresh?: boolean): Promise<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface AppKit {
  readonly wire: Wire;
  readonly mint: Mint;
  readonly measures: AppMeasures;
  readonly signal: AbortSignal;
  /** Waits, in our own time. */
  readonly waitReal: (ms: number) => Promise<void>;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export function createApp(kit: AppKit, role: 'rider' | 'driver' | 'operator', subject: string): App {
  let token: string | null = null;

  const authorization = async (fresh = false): Promise<Record<string, string>> => {
    if (fresh || token === null) token = await kit.mint(role, subject);
    return { authorization: `Bearer ${token}` };
  };

  const attempt = async (call: Call, fresh: boolean): Promise<Answer> => {
    const headers = { ...call.headers, ...(await authorization(fresh)) };
    const startedAt = performance.now();
    const answer = await kit.wire.call({ ...call, headers }, kit.signal);
    kit.measures.answered(call, answer.status, performance.now() - startedAt);
    return answer;
  };

  const ask = async (call: Call): Promise<Answer> => {
    let unauthorized = false;
    for (let tries = 0; ; tries++) {
      kit.signal.throwIfAborted();
      const answer: Answer | null = await attempt(call, unauthorized).catch((error: unknown) => {
        kit.signal.throwIfAborted();
        kit.measures.retried(call, error instanceof Error ? error.message : String(error));
        return null;
      });
      if (answer && answer.status < 300) return answer;
      const tokenRanOut: boolean = answer?.status === 401 && !unauthorized;
      if (answer && !tokenRanOut && !comesBack(answer.status)) throw refusal(call, answer);
      unauthorized = tokenRanOut;
      if (tokenRanOut) continue;
      if (answer) kit.measures.retried(call, `status ${answer.status}`);
      await kit.waitReal(pauseMs(tries, answer?.retryAfterMs ?? null));
    }
  };

  const body = async <T>(call: Call): Promise<T> => (await ask(call)).body as T;
  return {
    ask,
    get: (path) => body({ method: 'GET', path }),
    post: (path, sent) => body({ method: 'POST', path, body: sent ?? {} }),
    patch: (path, sent) => body({ method: 'PATCH', path, body: sent }),
    delete: (path) => body({ method: 'DELETE', path }),
    authorization,
    signal: kit.signal,
  };
}

const comesBack = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** What the server asks for, else twice as long each time; spread, so that a city does not knock all at once. */
function pauseMs(tries: number, retryAfterMs: number | null): number {
  const pause = retryAfterMs ?? FIRST_PAUSE_MS * 2 ** Math.min(tries, 6);
  return Math.min(pause, LONGEST_PAUSE_MS) * (1 + Math.random() / 4);
}

function refusal(call: Call, answer: Answer): Refused {
  const problem = typeof answer.body === 'object' && answer.body !== null ? answer.body : {};
  const type = 'type' in problem && typeof problem.type === 'string' ? problem.type : 'unknown';
  const code = type.split('/').at(-1) ?? type;
  return new Refused(answer.status, code, problem as Record<string, unknown>, `${call.method} ${call.path}`);
}
