import type { RequestHandler } from 'express';
import { StripeError } from './stripeErrors';

/** Every call needs a test key, as Bearer token or as the user of Basic authentication. */
export const requireTestKey: RequestHandler = (req, _res, next) => {
  const [scheme = '', credentials = ''] = (req.get('authorization') ?? '').split(' ');
  const key = /^basic$/i.test(scheme)
    ? (Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '')
    : /^bearer$/i.test(scheme)
      ? credentials
      : '';
  if (/^sk_test_\w+$/.test(key)) return next();
  const message =
    key === ''
      ? 'You did not provide an API key. You need to provide your API key in the Authorization header, using ' +
        "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
      : 'Invalid API Key provided: the sandbox takes keys that begin with sk_test_.';
  throw new StripeError(401, { type: 'invalid_request_error', message });
};
