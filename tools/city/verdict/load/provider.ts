import { z } from 'zod';
import { fromProvider } from '../../../../services/payments/provider/amounts';
import type { Evidence } from '../evidence';

const ledgerSchema = z.object({
  consistent: z.boolean(),
  movements: z.array(
    z.object({
      kind: z.string(),
      paymentIntent: z.string().nullable(),
      rideId: z.string().nullable(),
      amount: z.int(),
      net: z.int(),
      currency: z.string(),
    }),
  ),
});
const openSchema = z.object({
  data: z.array(z.object({ paymentIntent: z.string(), rideId: z.string().nullable() })),
});

/** The provider's own books: what it took and gave back, and what it still holds. */
export async function loadProvider(
  pspUrl: string,
): Promise<Pick<Evidence, 'movements' | 'openAuthorizations'>> {
  const ledger = ledgerSchema.parse(await read(new URL('/sandbox/ledger', pspUrl)));
  if (!ledger.consistent) throw new Error("the provider's ledger does not agree with its own payments");
  const open = openSchema.parse(await read(new URL('/sandbox/open-authorizations', pspUrl)));
  return {
    movements: ledger.movements.map(({ kind, paymentIntent, rideId, amount, net, currency }) => ({
      kind,
      intentId: paymentIntent,
      rideId,
      amountMinor: fromProvider(amount, currency),
      netMinor: fromProvider(net, currency),
      currency: currency.toUpperCase(),
    })),
    openAuthorizations: open.data.map(({ paymentIntent, rideId }) => ({ intentId: paymentIntent, rideId })),
  };
}

async function read(url: URL): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${url.pathname} of the provider answered ${response.status}`);
  return response.json();
}
