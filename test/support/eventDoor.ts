import { operations } from '../../contracts/api/operations';
import { problemPages } from '../../contracts/api/problems';
import { createHttpApp, createMount, listen, type HttpAppOptions, type Listening } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import {
  providerEventRoutes,
  type ProviderEventRoutesOptions,
} from '../../services/payments/news/providerEventRoutes';
import { quiet } from './backbone';
import { signatureOf, webhookSecret } from './providerEvents';

interface DoorOptions extends Omit<ProviderEventRoutesOptions, 'secret'> {
  /** That of the tests unless told otherwise. */
  readonly secret?: string;
}

/** The gateway's door for the provider's events, without the rest of the gateway. */
export const eventDoor = ({
  secret = webhookSecret,
  ...options
}: DoorOptions): Pick<HttpAppOptions, 'problems' | 'rawRoutes'> => ({
  problems: problemPages,
  rawRoutes: (router) => {
    const mount = createMount(router, () => () => undefined);
    providerEventRoutes(router, mount, { secret, ...options });
  },
});

/** The same, listening. */
export const openEventDoor = (options: DoorOptions): Promise<Listening> =>
  listen(createHttpApp({ log: quiet, ready: {}, ...eventDoor(options) }), {
    ...{ port: 0, portVariable: '', closeGraceMs: 200 },
  });

/** Where the provider posts to. */
export const eventAddress = ({ url }: Listening): string => url + operations.providerEvent.path;

/** Posts a body as the provider does, signed unless told otherwise. */
export async function postEvent(door: Listening, body: string, signature = signatureOf(body)) {
  const response = await fetch(eventAddress(door), {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
    body,
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** The answer to one that was taken. */
export const eventTaken = { status: 200, body: { received: true } };

export interface KeptEventRow {
  readonly type: string;
  readonly ride: string | null;
  readonly toldTo: string | null;
  readonly isTold: boolean;
}

/** What is kept of an event. */
export async function keptEvent(pool: Pool, eventId: string): Promise<KeptEventRow | undefined> {
  const { rows } = await pool.query<KeptEventRow>(
    `select type, ride_id as ride, told_to as "toldTo", told_at is not null as "isTold"
     from provider_events where event_id = $1`,
    [eventId],
  );
  return rows[0];
}
