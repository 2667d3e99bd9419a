import type { z } from 'zod';
import { offerView } from './api/drivers';
import type { Operation } from './api/operation';
import { operations } from './api/operations';
import type { ProblemPage } from './api/problemPage';
import { problem, problemPages } from './api/problems';
import { rideView } from './api/rides';
import { webhookBody } from './api/webhooks';
import { jsonSchema, jsonSchemas, type JsonSchema } from './jsonSchema';
import { fare, point } from './shared';

/** Named once and referred to. */
const components = { Point: point, Fare: fare, Problem: problem } as const;
const answers = { ...components, Ride: rideView, Offer: offerView };

/** What any operation may answer, whatever it does; a body, a path or a role adds to it. */
const everywhere = ['dependency_unavailable', 'deadline_exceeded', 'internal'];
const withRoles = ['unauthenticated', 'forbidden'];
const withBody = ['malformed_json', 'body_too_large', 'unsupported_media_type'];

/**
 * The OpenAPI 3.1 document of the public API, from the same schemas that requests are checked with.
 * `builtIn` are the problems that every service has (platform/http).
 */
export function openApiDocument(builtIn: Readonly<Record<string, ProblemPage>>): JsonSchema {
  const pages: Readonly<Record<string, ProblemPage>> = { ...problemPages, ...builtIn };
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method] = { operationId, ...describe(operation, pages) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hailway',
      version: '1.0.0',
      description:
        'Times are ISO 8601 in UTC, money is integers in minor units. Request bodies are strict: an unknown field ' +
        'is refused. Refusals are RFC 9457 problems whose `type` is a page. A 2xx means that it is durable.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: ['quotes', 'rides', 'drivers', 'webhooks', 'ops'].map((name) => ({ name })),
    paths,
    webhooks: { rideFact: { post: describeWebhook() } },
    components: {
      schemas: jsonSchemas(answers, 'output'),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function describe(operation: Operation, pages: Readonly<Record<string, ProblemPage>>): JsonSchema {
  const { request, response, roles } = operation;
  return {
    summary: operation.summary,
    ...(roles.length === 0
      ? { description: 'For anybody, without a token.', security: [] }
      : { description: `For ${roles.join(', ')}.` }),
    tags: [operation.tag],
    parameters: [
      ...parameters('path', request.params),
      ...parameters('query', request.query),
      ...parameters('header', request.headers),
    ],
    ...(request.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { ...json(inline(request.body, 'input')), ...binary(request) },
          },
        }),
    responses: {
      [response.status]: { description: response.description, ...content(response) },
      ...problems(operation, pages),
    },
  };
}

/** What a registered endpoint is posted. */
function describeWebhook(): JsonSchema {
  return {
    operationId: 'rideFact',
    summary: 'Something has happened to a ride, or its rider has to do something about its payment',
    description:
      'Signed: the header `hailway-signature` is `t=<seconds since 1970>,v1=<hex>` with the HMAC-SHA256 of `<t>.<body>` ' +
      'by the secret of the webhook; after a rotation there are two `v1`. Any 2xx within 5 s means that you have it. ' +
      'Anything else is tried again for a day, with pauses from 10 s to an hour. It may come twice, and in any order: ' +
      '`id` is the same for every repeat, `version` counts the facts of a ride, or of its payment.',
    tags: ['webhooks'],
    requestBody: { required: true, content: json(inline(webhookBody, 'output')) },
    responses: { '2XX': { description: 'Taken' } },
  };
}

function parameters(where: string, schema: z.ZodObject | undefined): JsonSchema[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name: where === 'header' ? headerName(name) : name,
    in: where,
    required: required.includes(name),
    schema: property,
  }));
}

const headerName = (name: string): string => name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());

function content({ body, csv, events }: Operation['response']): JsonSchema {
  if (body !== undefined) {
    const asCsv = csv === undefined ? {} : { 'text/csv': { schema: { type: 'string' } } };
    return { content: { ...json(inline(body, 'output')), ...asCsv } };
  }
  if (events === undefined) return {};
  const kinds = Object.entries(events).map(([event, schema]) => ({
    title: event,
    ...inline(schema, 'output'),
  }));
  return { content: { 'text/event-stream': { schema: { type: 'string' }, 'x-events': kinds } } };
}

/** A schema that refers to the components: it is made among them and then taken out. */
function inline(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const known = io === 'output' ? answers : {};
  const name = Object.entries(known).find(([, component]) => component === schema)?.[0];
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  return jsonSchemas({ ...known, Inline: schema }, io)['Inline']!;
}

const json = (schema: JsonSchema): JsonSchema => ({ 'application/json': { schema } });

const binary = ({ binary: form }: Operation['request']): JsonSchema =>
  form === undefined
    ? {}
    : { [form.mediaType]: { schema: { type: 'string', format: 'binary', description: form.description } } };

function problems(operation: Operation, pages: Readonly<Record<string, ProblemPage>>): JsonSchema {
  const codes = [
    ...(Object.keys(operation.request).length > 0 ? ['validation_failed'] : []),
    ...(operation.request.body === undefined ? [] : withBody),
    ...operation.problems,
    ...(operation.roles.length === 0 ? [] : withRoles),
    ...everywhere,
  ];
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status } = pages[code]!;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, of]) => [
        status,
        {
          description: of.map((code) => `\`${code}\`: ${pages[code]!.title}`).join('; '),
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  );
}
