/**
 * What never gets into a log, wherever in a logged object it is: secrets, and what is about a person or where they are.
 * Facts, requests and their parts may be logged by mistake; the names below are those of their fields.
 */
const blotted: ReadonlySet<string> = new Set([
  ...[
    'authorization',
    'cookie',
    'token',
    'quotetoken',
    'apikey',
    'secret',
    'password',
    'startcode',
    'sharetoken',
  ],
  ...['card', 'cardnumber', 'paymentmethod', 'fallbackpaymentmethods', 'action_url', 'personal_keys'],
  ...[
    'lat',
    'lng',
    'latitude',
    'longitude',
    'coordinates',
    'position',
    'location',
    'pickup',
    'dropoff',
    'stops',
  ],
  ...['recipient', 'sender', 'phone', 'email', 'plate', 'comment', 'note', 'evidence', 'sealed', 'ct'],
  // Whole records: what is in them cannot be told by name.
  ...['body', 'data', 'value', 'fact', 'request', 'payload', 'headers', 'parameters'],
]);
/** Beside the message they are ours (why something was done, which thing it is); further in they are somebody's words. */
const blottedInside: ReadonlySet<string> = new Set([
  'name',
  'reason',
  'description',
  'address',
  'url',
  'code',
]);

const mark = '[redacted]';
const deepest = 6;

/** The same without what must not be logged; errors by `plainError`. Circles and depths are cut off. */
export function redacted(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return plainError(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === deepest) return mark;
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  if (ArrayBuffer.isView(value)) return mark;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isBlotted(name, inner, depth) ? mark : redacted(inner, depth + 1),
    ]),
  );
}

/** A flag, a count of them or nothing is no secret. */
function isBlotted(name: string, value: unknown, depth: number): boolean {
  if (value === null || value === undefined || typeof value === 'boolean') return false;
  const lower = name.toLowerCase();
  return blotted.has(lower) || (depth > 0 && blottedInside.has(lower));
}

/**
 * Of an error its type, code, message, stack and causes, and where in Postgres it came from. Not its other fields: `detail`
 * and `where` of Postgres's errors quote the row, the requests in others' are whole.
 */
function plainError(error: Error, depth = 0): object {
  const { code, constraint, table, column, cause, retriable } = error as Partial<PostgresError>;
  const message = messageOf(error);
  const stack = error.stack?.startsWith(`${error.name}: ${error.message}`)
    ? `${error.name}: ${message}${error.stack.slice(error.name.length + 2 + error.message.length)}`
    : framesOf(error.stack);
  return {
    type: error.name,
    ...defined({ code, constraint, table, column, retriable }),
    message,
    stack,
    ...(cause instanceof Error && depth < deepest ? { cause: plainError(cause, depth + 1) } : {}),
    ...(error instanceof AggregateError && depth < deepest
      ? { errors: error.errors.map((inner) => redacted(inner, depth + 1)) }
      : {}),
  };
}

interface PostgresError extends Error {
  readonly code: string;
  readonly constraint: string;
  readonly table: string;
  readonly column: string;
  readonly retriable: boolean;
}

const defined = (fields: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The lines of a stack that say where, without the message above them. */
const framesOf = (stack: string | undefined): string | undefined =>
  stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

/**
 * What an error says, for a log or a reason: Postgres's complaints of data (class 22) and JSON.parse's quote what they
 * complain of, `invalid input syntax for type integer: "Anna"`, and that is left out.
 */
export function messageOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  const quotes = error instanceof SyntaxError || (typeof code === 'string' && /^22/.test(code));
  return quotes ? error.message.replace(/".*"|'.*'/gs, `"${mark}"`) : error.message;
}
