import type Stripe from 'stripe';
import { traceCall } from '../../../platform/telemetry';
import { attemptOf, type Attempt } from './attempts';

type Http = Stripe.HttpClient;
type Answer = Pick<Attempt, 'outcome' | 'httpStatus' | 'requestId' | 'objectId'>;

/**
 * The provider's HTTP client with somebody who watches: `observe` hears of each request when it leaves and again when
 * its answer is read or there will be none. It must neither wait nor throw.
 */
export function observedHttp(inner: Http, observe: (attempt: Attempt) => void): Http {
  return {
    getClientName: () => inner.getClientName(),
    async makeRequest(...request) {
      const [, , path, method, headers] = request;
      const key = headers['Idempotency-Key'];
      const attempt = attemptOf(method, path, typeof key === 'string' ? key : null);
      const startedAt = performance.now();
      const ended = (answer: Partial<Answer>): void =>
        observe(Object.assign(attempt, answer, { ms: Math.round(performance.now() - startedAt) }));
      observe(attempt);
      try {
        // The trace does not go along: the provider is a stranger.
        const response = await traceCall({ method, server: 'provider' }, async (_trace, answered) => {
          const answer = await inner.makeRequest(...request);
          answered(answer.getStatusCode());
          return answer;
        });
        const { 'request-id': requestId } = response.getHeaders();
        const head = {
          httpStatus: response.getStatusCode(),
          requestId: typeof requestId === 'string' ? requestId : null,
        };
        const read = response.toJSON.bind(response);
        response.toJSON = async () => {
          try {
            const body = (await read()) as Body;
            ended({ ...head, outcome: outcomeOf(body), objectId: attempt.objectId ?? namedBy(body) });
            return body;
          } catch (error) {
            ended({ ...head, outcome: 'answer_not_read' });
            throw error;
          }
        };
        return response;
      } catch (error) {
        ended({ outcome: codeOf(error) });
        throw error;
      }
    },
  };
}

/** What is read of an answer: an object, a list or an error. */
interface Body {
  readonly id?: string;
  readonly object?: string;
  readonly status?: string;
  readonly data?: readonly unknown[];
  readonly error?: { readonly decline_code?: string; readonly code?: string; readonly type?: string };
}

/** A card is not named: its id is the token that charges it. */
const namedBy = ({ id, object }: Body): string | null => (object === 'payment_method' ? null : (id ?? null));

function outcomeOf({ status, data, error }: Body): string {
  if (error) return error.decline_code || error.code || error.type || 'error';
  return status ?? (Array.isArray(data) ? `${data.length} found` : 'ok');
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no_answer';
