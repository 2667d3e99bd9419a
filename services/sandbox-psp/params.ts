import { z } from 'zod';
import { evidenceFields } from './disputes/shape';
import { invalidRequest } from './stripeErrors';

// Bodies are forms: every value arrives as text. What the sandbox does not implement is refused as unknown,
// so that nobody believes a parameter had an effect here.

/** The most digits that any currency has; `amounts.ts` knows each. */
const maxAmount = 999_999_999_999;
const currencies = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));

const integer = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const refuse = (message: string, code: string): never => {
      context.addIssue({ code: 'custom', message, params: { stripeCode: code } });
      return z.NEVER;
    };
    if (!/^-?\d{1,15}$/.test(text)) return refuse(`Invalid integer: ${text}`, 'parameter_invalid_integer');
    const value = Number(text);
    if (value < least) {
      return refuse(`This value must be greater than or equal to ${least}.`, 'parameter_invalid_integer');
    }
    if (value > most) return refuse(`This value must be no more than ${most}.`, 'amount_too_large');
    return value;
  });
const amount = integer(1, maxAmount);
const unixTime = integer(0, 99_999_999_999);
const boolean = z.enum(['true', 'false']).transform((text) => text === 'true');
const currency = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((code) => currencies.has(code), 'Invalid currency: it takes an ISO 4217 code in lower case.');
const captureMethod = z.enum(['automatic', 'automatic_async', 'manual']);
const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((pairs) => Object.keys(pairs).length <= 50, 'Metadata takes 50 keys at most.');
const text = z.string().min(1).max(1000);
/** https://docs.stripe.com/changelog/endive/2026-09-30: `allowed_payment_method_types` took its place. */
const goneSinceEndive = z.unknown().transform((_value, context) => {
  const stripeCode = 'payment_method_types_no_longer_supported';
  context.addIssue({ code: 'custom', message: 'use allowed_payment_method_types.', params: { stripeCode } });
  return z.NEVER;
});
const page = { limit: integer(1, 100).optional() };
const created = z
  .strictObject({
    gt: unixTime.optional(),
    gte: unixTime.optional(),
    lt: unixTime.optional(),
    lte: unixTime.optional(),
  })
  .optional();

export const createIntentParams = z.strictObject({
  amount,
  currency,
  capture_method: captureMethod.optional(),
  confirm: boolean.optional(),
  off_session: boolean.optional(),
  error_on_requires_action: boolean.optional(),
  payment_method: text.optional(),
  allowed_payment_method_types: z.array(z.literal('card')).optional(),
  payment_method_types: goneSinceEndive.optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: boolean, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
  payment_method_options: z
    .strictObject({
      card: z.strictObject({
        request_incremental_authorization: z.enum(['if_available', 'never']).optional(),
      }),
    })
    .optional(),
  metadata: metadata.optional(),
  customer: text.optional(),
  description: text.optional(),
  receipt_email: text.optional(),
  return_url: text.optional(),
  statement_descriptor_suffix: text.optional(),
  transfer_group: text.optional(),
});
export const confirmIntentParams = z.strictObject({
  payment_method: text.optional(),
  capture_method: captureMethod.optional(),
  off_session: boolean.optional(),
  error_on_requires_action: boolean.optional(),
  return_url: text.optional(),
});
export const captureIntentParams = z.strictObject({
  amount_to_capture: amount.optional(),
  metadata: metadata.optional(),
});
export const incrementIntentParams = z.strictObject({ amount, metadata: metadata.optional() });
export const cancelIntentParams = z.strictObject({
  cancellation_reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']).optional(),
});
export const createRefundParams = z.strictObject({
  payment_intent: text,
  amount: amount.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
});
export const createCustomerParams = z.strictObject({
  description: text.optional(),
  metadata: metadata.optional(),
});
export const attachMethodParams = z.strictObject({ customer: text });
export const noParams = z.strictObject({});
export const updateDisputeParams = z.strictObject({
  evidence: z.partialRecord(z.enum(evidenceFields), text.max(20_000)).optional(),
  submit: boolean.optional(),
  metadata: metadata.optional(),
});
export const createTransferParams = z.strictObject({
  amount,
  currency,
  destination: text,
  description: text.optional(),
  metadata: metadata.optional(),
  transfer_group: text.optional(),
});
export const reverseTransferParams = z.strictObject({
  amount: amount.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
});
export const listParams = z.strictObject({ ...page, created, starting_after: text.optional() });
export const listOfIntentParams = listParams.extend({ payment_intent: text.optional() });
export const listTransfersParams = listParams.extend({
  destination: text.optional(),
  transfer_group: text.optional(),
});
export const listEventsParams = listParams.extend({
  type: text.optional(),
  types: z.array(text).optional(),
});
export const searchParams = z.strictObject({ ...page, query: text, page: text.optional() });

/**
 * Reads a form by its schema.
 * @throws StripeError of the first thing wrong: parameter_missing, parameter_unknown, …, with `param`.
 */
export function parseParams<S extends z.ZodType>(schema: S, form: unknown): z.output<S> {
  const parsed = schema.safeParse(form);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue === undefined) throw invalidRequest('Invalid request.');
  if (issue.code === 'unrecognized_keys') {
    const param = paramName([...issue.path, issue.keys[0] ?? '']);
    throw invalidRequest(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = paramName(issue.path);
  if (valueAt(form, issue.path) === undefined) {
    throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  const code = issue.code === 'custom' ? (issue.params?.['stripeCode'] as string | undefined) : undefined;
  throw invalidRequest(`Invalid ${param}: ${issue.message}`, { code, param });
}

/**
 * Reads a body of the sandbox's own doors.
 * @throws StripeError with what is wrong first
 */
export function readJson<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidRequest(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** `['metadata', 'rideId']` as forms write it: `metadata[rideId]`. */
function paramName(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (index === 0 ? String(part) : `[${String(part)}]`)).join('');
}

function valueAt(form: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    form,
  );
}
