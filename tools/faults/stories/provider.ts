import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { createPaymentActivities, type ProviderActivities } from '../../../activities/payments';
import { problemPages } from '../../../contracts/api/problems';
import { createHttpApp, createMount, listen } from '../../../platform/http';
import type { Pool } from '../../../platform/postgres';
import { providerEventRoutes } from '../../../services/payments/news/providerEventRoutes';
import type { TellNews } from '../../../services/payments/news/tellNews';
import { createProviderClient } from '../../../services/payments/provider/client';
import { createSandboxPsp } from '../../../services/sandbox-psp/app';
import type { Payment } from '../../../domain/payment';
import type { OperatorsWord } from '../../../domain/sagas';
import type { ProviderBooks } from '../providerBooks';
import { vaultInMemory } from '../../vaultInMemory';

/** A sandbox of a story's own, and how its payment asks it. */
export interface StoryProvider {
  readonly url: string;
  readonly activities: ProviderActivities;
  close(): Promise<void>;
}

/** What a request takes that nobody disturbs is far less; what is late takes longer. */
const requestTimeoutMs = 500;
const secret = 'whsec_of_the_stories';
const log = pino({ level: 'silent' });
const anyPort = { port: 0, portVariable: 'none', closeGraceMs: 200 };

export async function openProvider(
  dataDir: string,
  { pool, tell }: { pool: Pool; tell: TellNews },
): Promise<StoryProvider> {
  mkdirSync(dataDir, { recursive: true });
  const doors = await listen(
    createHttpApp({
      log,
      ready: {},
      problems: problemPages,
      rawRoutes: (router) =>
        providerEventRoutes(
          router,
          createMount(router, () => () => undefined),
          { pool, secret, tell },
        ),
    }),
    anyPort,
  );
  const psp = createSandboxPsp({
    dataDir,
    webhooks: { url: `${doors.url}/v1/providers/stripe/events`, secret, firstPauseMs: 50 },
  });
  const server = await listen(psp.app, anyPort);
  const client = createProviderClient({
    apiKey: 'sk_test_stories',
    apiBase: server.url,
    timeoutMs: requestTimeoutMs,
  });
  return {
    url: server.url,
    activities: createPaymentActivities({
      pool,
      vault: vaultInMemory(),
      provider: client,
      returnUrl: 'https://app.example/paid',
    }).provider,
    async close() {
      await server.close();
      await psp.close();
      await doors.close();
    },
  };
}

/** One of the sandbox's own doors: faults, and what banks and riders do. */
export async function tellProvider(
  url: string,
  path: string,
  { method = 'POST', body }: { method?: string; body?: object } = {},
): Promise<void> {
  const sent = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}/sandbox${path}`, { method, ...sent });
  await answer.body?.cancel();
}

/** What an operator reads at the provider's own desk about the call that is in doubt; null where it shows nothing. */
export function seenAtProvider(
  { unresolved, charges, intentId, tipMinor }: Payment,
  { movements, holdsOpen }: ProviderBooks,
  refundsKnown: number,
): Pick<OperatorsWord, 'outcome' | 'objectId'> | null {
  const happened = { outcome: 'happened' } as const;
  const taken = movements.filter(({ kind }) => kind === 'capture');
  switch (unresolved?.call) {
    case 'capture':
      return taken.some(({ paymentIntent }) => paymentIntent === intentId) ? happened : null;
    case 'voidHold':
      return holdsOpen ? null : happened;
    case 'refund': {
      const back = movements.filter(({ kind }) => kind === 'refund');
      return back.length > refundsKnown ? { ...happened, objectId: back.at(-1)!.source } : null;
    }
    case 'chargeTip':
    case 'chargeExtra':
    case 'collect': {
      // One that is not booked yet: of what is taken beside the ride's charges, a tip is known by its amount only.
      const unknown = taken.filter(
        ({ paymentIntent }) => !charges.some((one) => one.intentId === paymentIntent),
      );
      const last = unknown.at(tipMinor > 0 ? 1 : 0);
      return last?.paymentIntent ? { ...happened, objectId: last.paymentIntent } : null;
    }
    default:
      return null;
  }
}
