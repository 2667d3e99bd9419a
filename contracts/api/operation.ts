import type { z } from 'zod';
import type { problemPages } from './problems';

export type Role = 'rider' | 'driver' | 'fleet' | 'operator' | 'service';

/** What a route in front of the app refuses beside (platform/http/directRoutes.ts). */
type DirectProblem = 'too_much_at_once' | 'body_incomplete';

/** One operation of the public API. Routes are mounted and OpenAPI is written from it. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** In OpenAPI's form: `/v1/rides/{rideId}`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: 'quotes' | 'rides' | 'drivers' | 'webhooks' | 'ops';
  /** Who may call it; nobody named is everybody, without a token. */
  readonly roles: readonly Role[];
  readonly request: {
    readonly params?: z.ZodObject;
    readonly query?: z.ZodObject;
    readonly headers?: z.ZodObject;
    readonly body?: z.ZodType;
    /** What the body may be instead of JSON: a media type, and what its bytes are. */
    readonly binary?: { readonly mediaType: string; readonly description: string };
  };
  readonly response: {
    readonly status: 200 | 201 | 202 | 204;
    readonly description: string;
    readonly body?: z.ZodType;
    /** Whether `format=csv` has the rows of the body as CSV. */
    readonly csv?: true;
    /** Server-sent events by name, instead of a body. */
    readonly events?: Readonly<Record<string, z.ZodType>>;
  };
  /** What it refuses, beside what every operation may. */
  readonly problems: readonly (keyof typeof problemPages | DirectProblem)[];
}
