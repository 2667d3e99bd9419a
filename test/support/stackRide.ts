import type { PaymentTimeline } from '../../contracts/api/payments';
import type { DisputeView } from '../../contracts/api/payouts';
import type { Point } from '../../domain/geo';
import { createPool } from '../../platform/postgres';
import type { Stack } from '../../tools/stack/stack';
import { eventually } from './rideSaga';
import type { StackStory } from './stackStory';

export interface DrivenRide {
  readonly riderId: string;
  readonly driverId: string;
  /** Where the driver says to be while the rider is on board, one after another. */
  readonly driven: readonly Point[];
}

/** A ride paid by card, from the request to its end; the driver, a new one, declines what others ask for. */
export async function rideOnStack(stack: Stack, story: StackStory, ride: DrivenRide): Promise<string> {
  const [rider, driver] = [['rider', ride.riderId] as const, ['driver', ride.driverId] as const];
  const say = async ({ lat, lng }: Point): Promise<void> => {
    const position = { lat, lng, sequence: Date.now(), at: new Date().toISOString() };
    await story.insist('POST', '/v1/drivers/me/positions', driver, { positions: [position] });
  };
  await story.driver(ride.driverId);
  const rideId = await story.ride(ride.riderId);
  const db = createPool(stack.databaseUrls.rides, { applicationName: 'test', max: 1 });
  const offerId = await eventually(async () => {
    // Who falls silent is found by nobody.
    await say(ride.driven[0]!);
    const { rows } = await db.query<{ id: string; ofRide: string }>(
      `select offer_id as id, ride_id as "ofRide" from offers where driver_id = $1 and state = 'offered'`,
      [ride.driverId],
    );
    for (const { id, ofRide } of rows)
      if (ofRide !== rideId)
        await story.call('POST', `/v1/offers/${id}/decline`, driver).catch(() => undefined);
    return rows.find(({ ofRide }) => ofRide === rideId)?.id;
  }, 60_000).finally(() => db.end());
  await story.insist('POST', `/v1/offers/${offerId}/accept`, driver);
  await story.untilRide(rideId, ride.riderId, ['assigned']);
  await story.insist('POST', `/v1/rides/${rideId}/arrive`, driver);
  const { startCode: code } = (await story.call('GET', `/v1/rides/${rideId}`, rider)).body;
  await story.insist('POST', `/v1/rides/${rideId}/start`, driver, { code });
  for (const place of ride.driven) await say(place);
  await story.insist('POST', `/v1/rides/${rideId}/complete`, driver);
  await story.untilRide(rideId, ride.riderId, ['completed']);
  return rideId;
}

/** Has the rider's bank dispute what a ride was paid with, until operators see it among the disputes. */
export async function disputeOnStack(stack: Stack, story: StackStory, rideId: string): Promise<DisputeView> {
  const operator = ['operator', 'op-1'] as const;
  const intentId = await eventually(async () => {
    const { body } = await story.call('GET', `/v1/ops/payments/${rideId}`, operator);
    const { payment, entries } = body as unknown as Partial<PaymentTimeline>;
    const intent = entries?.find(({ kind }) => kind === 'intent');
    return payment?.status === 'captured' && intent?.kind === 'intent' ? intent.intentId : undefined;
  }, 60_000);
  const disputed = await fetch(`${stack.pspUrl}/sandbox/disputes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ paymentIntent: intentId }),
  });
  expect(disputed.status).toBe(200);
  return eventually(async () => {
    const { body } = await story.call('GET', '/v1/ops/disputes', operator);
    const { disputes } = body as unknown as { disputes?: DisputeView[] };
    return disputes?.find((dispute) => dispute.intentId === intentId);
  }, 60_000);
}
