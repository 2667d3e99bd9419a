import { fromProvider } from '../../services/payments/provider/amounts';

/** The sandbox takes any key for tests. */
export const providerKey = 'sk_test_faults';

/** A line of the sandbox's ledger: what it does to our balance, in the provider's minor units. */
interface Movement {
  readonly kind: string;
  readonly paymentIntent: string | null;
  readonly rideId: string | null;
  readonly source: string;
  readonly net: number;
  readonly currency: string;
}

/** A ride as the provider has it, which knows nothing of our books. Amounts in our minor units. */
export interface ProviderBooks {
  readonly movements: readonly Movement[];
  /** What the rider has paid and was not given back. */
  readonly netMinor: number;
  readonly holdsOpen: boolean;
}

export async function providerBooks(url: string, rideId: string): Promise<ProviderBooks> {
  const { movements } = await ask<{ movements: Movement[] }>(`${url}/sandbox/ledger`);
  const open = await ask<{ data: { rideId: string | null }[] }>(`${url}/sandbox/open-authorizations`);
  const ofRide = movements.filter((movement) => movement.rideId === rideId);
  return {
    movements: ofRide,
    netMinor: ofRide.reduce((sum, { net, currency }) => sum + fromProvider(net, currency), 0),
    holdsOpen: open.data.some((hold) => hold.rideId === rideId),
  };
}

/** What was transferred of a payout, a number for each transfer, in the provider's minor units. */
export async function transfersOf(url: string, payoutId: string): Promise<number[]> {
  const { data } = await ask<{ data: { amount: number }[] }>(
    `${url}/v1/transfers?transfer_group=${payoutId}`,
  );
  return data.map(({ amount }) => amount);
}

async function ask<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${providerKey}` } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}
