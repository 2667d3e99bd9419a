/** What an error says beside its message. The names that RFC 9457 gives a meaning of its own are a problem's, not ours. */
export type ErrorDetails = Readonly<Record<string, unknown>> &
  Partial<Record<'type' | 'title' | 'status' | 'detail' | 'instance', never>>;

/**
 * An error that has a stable code. Transport maps codes once: platform/http to a problem, an activity to
 * retryable or not, a consumer to its dead-letter topic. Domain errors have the same shape (`code`,
 * `message`, `details`) without importing this class.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError';

  constructor(
    readonly code: string,
    message: string,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Somebody we depend on did not answer, or not in time: the caller may ask again after a while. */
export class DependencyUnavailable extends CodedError {
  override readonly name = 'DependencyUnavailable';

  constructor(dependency: string, options?: ErrorOptions & { retryAfterSeconds?: number }) {
    super(
      'dependency_unavailable',
      `${dependency} is not available`,
      { dependency, retryAfterSeconds: options?.retryAfterSeconds ?? 1 },
      options,
    );
  }
}

/** The code of an error that has one: ours, the domain's, Node's or Postgres's; otherwise undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
