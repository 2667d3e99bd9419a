import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { kafkaSettings } from './config/kafka';
import { positionVariables } from './config/positions';
import { telemetryVariables } from './config/telemetry';

/** Processes that listen, with the port each takes locally; `HAILWAY_<PROCESS>_PORT` moves it. */
export const processPorts = {
  gateway: 8080,
  pricing: 8081,
  location: 8082,
  analytics: 8083,
  audit: 8084,
  notifications: 8085,
  'sandbox-psp': 8086,
  console: 8087,
  rides: 8088,
  payments: 8089,
  relay: 8090,
  tracks: 8091,
} as const;

export type ProcessName = keyof typeof processPorts;

type Upper<N extends string> = N extends `${infer A}-${infer B}`
  ? `${Uppercase<A>}_${Uppercase<B>}`
  : Uppercase<N>;
export type PortVariable<N extends ProcessName = ProcessName> = `HAILWAY_${Upper<N>}_PORT`;

/** The environment variable that holds a process's port: `HAILWAY_SANDBOX_PSP_PORT`. */
export function portVariable<N extends ProcessName>(name: N): PortVariable<N> {
  return `HAILWAY_${name.toUpperCase().replace('-', '_')}_PORT` as PortVariable<N>;
}

/** A variable: what it takes in words (for the one line a user sees), and its schema with the default. */
function variable<S extends z.ZodType>(takes: string, schema: S): S {
  return schema.meta({ description: takes });
}

const port = (byDefault: number) =>
  variable(
    'a port number from 1 to 65535',
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .refine((n) => n >= 1 && n <= 65535)
      .default(byDefault),
  );

const url = (protocol: RegExp, takes: string, byDefault: string) =>
  variable(takes, z.url({ protocol }).default(byDefault));

const database = (name: string) =>
  url(
    /^postgres(ql)?$/,
    'a Postgres URL (postgres://user:password@host:port/database)',
    `postgres://${name}:${name}@127.0.0.1:5433/${name}`,
  );

const httpUrl = (byDefault: string) => url(/^https?$/, 'an http or https URL', byDefault);
const hostAndPort = /^[\w.-]+:\d{1,5}$/;
const text = (takes: string, byDefault: string) => variable(takes, z.string().default(byDefault));

/** Empty by default: a secret that everybody knows is none. Whoever needs one asks with `requireSecret`. */
const signingSecret = (what: string) =>
  variable(`${what}, at least 16 characters`, z.union([z.literal(''), z.string().min(16)]).default(''));

const optionalHttpUrl = (takes: string, byDefault: string) =>
  variable(takes, z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).default(byDefault));

/** Every environment variable there is. Defaults are those of the embedded stack on one machine. */
export const configSchema = z.object({
  HAILWAY_DATA_DIR: text('a folder', '.hailway'),
  HAILWAY_HOST: text('an address to listen on (127.0.0.1, or 0.0.0.0 in a container)', '127.0.0.1'),
  HAILWAY_SPEED: variable(
    'a number from 0.001 to 10000 (1 is real time)',
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number)
      .refine((n) => n >= 0.001 && n <= 10_000)
      .default(1),
  ),
  LOG_LEVEL: variable(
    'one of trace, debug, info, warn, error, fatal, silent',
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  ),

  ...telemetryVariables,

  HAILWAY_GATEWAY_PORT: port(processPorts.gateway),
  HAILWAY_PRICING_PORT: port(processPorts.pricing),
  HAILWAY_LOCATION_PORT: port(processPorts.location),
  HAILWAY_ANALYTICS_PORT: port(processPorts.analytics),
  HAILWAY_AUDIT_PORT: port(processPorts.audit),
  HAILWAY_NOTIFICATIONS_PORT: port(processPorts.notifications),
  HAILWAY_SANDBOX_PSP_PORT: port(processPorts['sandbox-psp']),
  HAILWAY_CONSOLE_PORT: port(processPorts.console),
  HAILWAY_RIDES_PORT: port(processPorts.rides),
  HAILWAY_PAYMENTS_PORT: port(processPorts.payments),
  HAILWAY_RELAY_PORT: port(processPorts.relay),
  HAILWAY_TRACKS_PORT: port(processPorts.tracks),

  HAILWAY_POSTGRES_PORT: port(5433),
  HAILWAY_KAFKA_PORT: port(9192),
  HAILWAY_KAFKA_CONTROLLER_PORT: port(9193),
  HAILWAY_TEMPORAL_PORT: port(7243),
  HAILWAY_TEMPORAL_UI_PORT: port(8243),

  POSTGRES_URL: database('postgres'),
  RIDES_DATABASE_URL: database('rides'),
  PAYMENTS_DATABASE_URL: database('payments'),
  PRICING_DATABASE_URL: database('pricing'),
  ANALYTICS_DATABASE_URL: database('analytics'),
  AUDIT_DATABASE_URL: database('audit'),
  NOTIFICATIONS_DATABASE_URL: database('notifications'),
  TRACKS_DATABASE_URL: database('tracks'),
  KEYS_DATABASE_URL: database('keys'),
  PERSONAL_KEYS: text('name:secret,… that wrap the keys of people, the first one new keys', ''),

  ...kafkaSettings,
  TEMPORAL_ADDRESS: variable('host:port', z.string().regex(hostAndPort).default('127.0.0.1:7243')),
  TEMPORAL_NAMESPACE: variable('a namespace name', z.string().min(1).default('default')),
  HAILWAY_TEMPORAL_UI_URL: httpUrl('http://127.0.0.1:8243'),
  HAILWAY_WORKFLOW_BUNDLE: text("the path of a bundle of the workflows, or empty for the build's own", ''),
  HAILWAY_SET_CURRENT: variable(
    'yes (new workflows start on this version as soon as its worker polls) or no',
    z.enum(['yes', 'no']).default('yes'),
  ),

  HAILWAY_WORKFLOW_STACKS: variable(
    'yes (the web UI shows where a workflow waits in its code, at twice the work a task) or no',
    z.enum(['yes', 'no']).default('no'),
  ),

  STRIPE_API_KEY: text('an API key of the payment provider (sk_…); the sandbox takes any', 'sk_test_hailway'),
  STRIPE_WEBHOOK_SECRET: signingSecret(
    'the secret that the payment provider signs its webhooks with (whsec_…), or empty to take none',
  ),
  STRIPE_API_BASE: optionalHttpUrl(
    "the sandbox provider's http URL, or empty for Stripe itself",
    'http://127.0.0.1:8086',
  ),
  SANDBOX_WEBHOOK_URL: httpUrl('http://127.0.0.1:8080/v1/providers/stripe/events'),
  SANDBOX_PUBLIC_URL: optionalHttpUrl(
    "the http URL where riders reach the sandbox provider's pages, or empty for the one at which it is asked",
    '',
  ),

  PAYMENT_RETURN_URL: httpUrl('http://127.0.0.1:8080'),

  AUTH_JWKS: text('the path or http URL of a JSON Web Key Set', '.hailway/issuer/jwks.json'),
  AUTH_ISSUER: text('the issuer that tokens name', 'hailway-local'),
  AUTH_AUDIENCE: text('the audience that tokens name', 'hailway'),
  HAILWAY_SERVICE_TOKEN: text('a token with the role service', ''),

  QUOTE_SECRET: signingSecret('the secret that quotes are signed with, the same for pricing and gateway'),
  RIDE_CODE_SECRET: signingSecret("the secret that riders' start codes are made with"),

  GATEWAY_URL: httpUrl('http://127.0.0.1:8080'),
  HAILWAY_CONSOLE_HOSTS: text('name,… at which the console answers beside localhost and IP addresses', ''),
  PUBLIC_URL: optionalHttpUrl('the http URL where people reach the gateway, or empty for GATEWAY_URL', ''),
  PRICING_URL: httpUrl('http://127.0.0.1:8081'),
  LOCATION_URL: httpUrl('http://127.0.0.1:8082'),
  LOCATION_OWN_URL: optionalHttpUrl(
    "the http URL where the other location processes reach this one, or empty for this machine's name and its port",
    '',
  ),
  ...positionVariables,
  ANALYTICS_URL: httpUrl('http://127.0.0.1:8083'),
  AUDIT_URL: httpUrl('http://127.0.0.1:8084'),
  RELAY_URL: httpUrl('http://127.0.0.1:8090'),
  NOTIFICATIONS_URL: httpUrl('http://127.0.0.1:8085'),
  TRACKS_URL: httpUrl('http://127.0.0.1:8091'),

  NOTIFICATIONS_WEBHOOK_URL: optionalHttpUrl('an http URL that notifications are posted to, or empty', ''),
  NOTIFICATIONS_WEBHOOK_SECRET: text('the secret that webhooks are signed with', ''),
  WEBHOOK_PRIVATE_ADDRESSES: variable(
    'yes or no: whether webhooks may be posted to private addresses, for development',
    z
      .enum(['yes', 'no'])
      .default('no')
      .transform((given) => given === 'yes'),
  ),
});

export type Config = z.infer<typeof configSchema>;
export type Variable = keyof Config;

/** Empty means something for these; for the others an empty variable is one that is not set. */
const emptyCounts: ReadonlySet<string> = new Set(['STRIPE_API_BASE']);
const secret = /(_URL|_TOKEN|_KEYS?|_SECRET|_PASSWORD)$/;

/** A setting that cannot be worked with: `main` prints its one line and exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  static readonly exitCode = 78;
}

/** @throws ConfigError the secret is not set. */
export function requireSecret(config: Config, name: 'QUOTE_SECRET' | 'RIDE_CODE_SECRET'): string {
  if (config[name] === '')
    throw new ConfigError(`${name} takes ${configSchema.shape[name].meta()?.description}`);
  return config[name];
}

/** Whether the user has set this variable: the embedded stack then uses that server instead of its own. */
export function isSet(env: NodeJS.ProcessEnv, name: Variable): boolean {
  return env[name] !== undefined && (env[name] !== '' || emptyCounts.has(name));
}

/** `<NAME>_FILE` names a file that holds the value: how containers are given secrets. */
function contentOfFile(env: NodeJS.ProcessEnv, name: Variable): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`${name}_FILE takes a file that can be read`, { cause: error });
  }
}

/**
 * Reads the environment. With `names` only those are looked at and returned.
 * @throws ConfigError one line that names every wrong variable and says what each takes; values of
 *   variables that may hold a secret are not repeated.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config;
export function loadConfig<N extends Variable>(env: NodeJS.ProcessEnv, names: readonly N[]): Pick<Config, N>;
export function loadConfig(env: NodeJS.ProcessEnv, names?: readonly Variable[]): Partial<Config> {
  const wanted = names ?? (Object.keys(configSchema.shape) as Variable[]);
  const values: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const name of wanted) {
    const schema: z.ZodType = configSchema.shape[name];
    const raw = isSet(env, name) ? env[name] : contentOfFile(env, name);
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[name] = parsed.data;
    else {
      const given = secret.test(name) ? '' : `, not ${JSON.stringify(raw)}`;
      wrong.push(`${name} takes ${schema.meta()?.description ?? 'another value'}${given}`);
    }
  }
  if (wrong.length > 0) throw new ConfigError(wrong.join('; '));
  return values;
}
