import { isSet, type ProcessName, type Variable } from '../../platform/config';
import { owners, type Owner } from './databases';
import { audience, issuerName, type Issuer, type Secrets } from './issuer';
import { processes } from './processes';
import { portNames, portVariables, type Ports } from './ports';
import type { Servers } from './servers';

export interface EnvironmentInputs {
  /** The user's own environment: what is set there stays. */
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly ports: Ports;
  readonly speed: number;
  readonly servers: Servers;
  readonly databaseUrls: Readonly<Record<Owner, string>>;
  readonly issuer: Issuer;
  readonly secrets: Secrets;
  /** The kept copy of the build's bundle: the processes run it however often dist/ is built anew. */
  readonly workflowBundle: string;
}

/** The variable of an owner's database: `RIDES_DATABASE_URL`. */
export const databaseVariable = (owner: Owner): `${Uppercase<Owner>}_DATABASE_URL` =>
  `${owner.toUpperCase() as Uppercase<Owner>}_DATABASE_URL`;

/** Whether the user has set this variable, as it is or by a file. */
export const isGiven = (env: NodeJS.ProcessEnv, name: Variable): boolean =>
  isSet(env, name) || Boolean(env[`${name}_FILE`]);

/** Those of these variables that the user has not set. */
export const unlessSet = <V extends Variable>(
  env: NodeJS.ProcessEnv,
  values: Readonly<Partial<Record<V, string>>>,
): Partial<Record<V, string>> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !isGiven(env, name as V))) as Partial<
    Record<V, string>
  >;

/** What the processes of the stack are started with, all that any of them needs: see `environmentFor`. */
export async function environmentOf(inputs: EnvironmentInputs): Promise<NodeJS.ProcessEnv> {
  const { env, ports, servers, databaseUrls, issuer, secrets } = inputs;
  const at = (name: ProcessName): string => `http://127.0.0.1:${ports[name]}`;
  const byDefault: Partial<Record<Variable, string>> = {
    STRIPE_API_KEY: 'sk_test_hailway',
    STRIPE_API_BASE: at('sandbox-psp'),
    SANDBOX_WEBHOOK_URL: `${at('gateway')}/v1/providers/stripe/events`,
    STRIPE_WEBHOOK_SECRET: secrets.of('stripe-webhook'),
    QUOTE_SECRET: secrets.of('quote'),
    RIDE_CODE_SECRET: secrets.of('ride-code'),
    PERSONAL_KEYS: `stack:${secrets.of('personal-keys')}`,
    HAILWAY_TEMPORAL_UI_URL: servers.temporalUiUrl ?? 'http://127.0.0.1:8233',
    // Whoever tries webhooks on one machine receives them there.
    WEBHOOK_PRIVATE_ADDRESSES: 'yes',
    // What a ride's way takes does not matter here, when it is to be seen does.
    TRACK_CHUNK_SECONDS: '2',
  };
  return {
    ...env,
    ...unlessSet(env, byDefault),
    NODE_ENV: env.NODE_ENV || 'production',
    ...Object.fromEntries(portNames.map((name) => [portVariables[name], String(ports[name])])),
    ...Object.fromEntries(owners.map((owner) => [databaseVariable(owner), databaseUrls[owner]])),
    HAILWAY_DATA_DIR: inputs.dataDir,
    HAILWAY_SPEED: String(inputs.speed),
    KAFKA_BROKERS: servers.kafka.brokers.join(','),
    TEMPORAL_ADDRESS: servers.temporalAddress,
    HAILWAY_WORKFLOW_BUNDLE: inputs.workflowBundle,
    AUTH_JWKS: issuer.jwksPath,
    AUTH_ISSUER: issuerName,
    AUTH_AUDIENCE: audience,
    // Minted anew at each start; a stack does not run for a year.
    HAILWAY_SERVICE_TOKEN: await issuer.mintToken({
      role: 'service',
      sub: 'stack',
      ttlSeconds: 366 * 24 * 60 * 60,
    }),
    GATEWAY_URL: at('gateway'),
    PRICING_URL: at('pricing'),
    LOCATION_URL: at('location'),
    ANALYTICS_URL: at('analytics'),
    AUDIT_URL: at('audit'),
    RELAY_URL: at('relay'),
    NOTIFICATIONS_URL: at('notifications'),
    TRACKS_URL: at('tracks'),
  };
}

/** An administrator's login, which opens every database, is for whoever prepares. */
const administrators: readonly Variable[] = ['POSTGRES_URL'];
const keyHolders: readonly Variable[] = ['KEYS_DATABASE_URL', 'PERSONAL_KEYS'];

/** A process's part of that environment: what opens people's facts goes to those who open them. */
export function environmentFor(name: ProcessName, all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hasKeys = processes.some((spec) => spec.name === name && spec.hasKeys);
  const others = [...administrators, ...(hasKeys ? [] : keyHolders)];
  const withheld = new Set(others.flatMap((variable) => [variable, `${variable}_FILE`]));
  return Object.fromEntries(Object.entries(all).filter(([variable]) => !withheld.has(variable)));
}
