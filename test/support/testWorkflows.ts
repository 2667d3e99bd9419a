import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';
import { rideSignals } from '../../domain/names';
import type { PaymentMethod } from '../../domain/ride';

export * from '../../workflows';

/** A ride that does nothing but listen to its payment. */
export async function listeningRide(): Promise<void> {
  const heard: string[] = [];
  let over = false;
  setHandler(
    defineSignal<[{ method: PaymentMethod }?]>(rideSignals.paymentAuthorized),
    (held) => void heard.push(`${rideSignals.paymentAuthorized}${held ? `: ${held.method.type}` : ''}`),
  );
  setHandler(
    defineSignal<[{ reason: string }]>(rideSignals.paymentDeclined),
    ({ reason }) => void heard.push(`${rideSignals.paymentDeclined}: ${reason}`),
  );
  setHandler(defineSignal('end'), () => void (over = true));
  setHandler(defineQuery<string[]>('heard'), () => heard);
  await condition(() => over);
}
