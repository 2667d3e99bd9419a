import type Stripe from 'stripe';
import type { Pool } from '../../../platform/postgres';
import type { Drift } from '../../../domain/reconciliation';
import { fromProvider } from '../provider/amounts';
import { idOf, orNull, type ProviderClient } from '../provider/client';
import { isUndone } from '../provider/refunds';
import { changedSince, type Changed } from './changed';
import { createCollected, inPages, type Collected } from './collect';
import { judgeIntent, judgeRefund, takenTooMuchMinor, unknownToProvider } from './judgeIntents';
import { judgeDispute, judgeTransfer } from './judgeTransfers';
import { metadataId, moneyOf, objectsOf, ridesOfIntents, takenByFacts, type RideMoney } from './money';
import { looking, pagesOf, rowsOf, type Page, type Scope } from './pages';

const PAGE = 100;

/** What was listed is not asked for one by one again. An id is all that is remembered of it. */
type Seen = Set<string>;

interface Looking {
  readonly pool: Pool;
  readonly client: ProviderClient;
  readonly collected: Collected;
  readonly seen: Seen;
  readonly beat: () => void;
}

/**
 * What the provider lists as made since then against our rows and facts; then, one by one, what differed before, what has
 * changed by the provider’s events, and what our rows and facts tell of.
 */
export async function checkProvider(
  { pool, client }: { readonly pool: Pool; readonly client: ProviderClient },
  scope: Scope,
  beat: () => void,
): Promise<readonly Drift[]> {
  const look: Looking = { pool, client, collected: createCollected(), seen: new Set(), beat };
  const gte = Math.floor(Date.parse(scope.since) / 1_000);
  const listed = { created: { gte }, limit: PAGE };
  await eachPage(client.paymentIntents.list(listed), look, (intents) => judgeIntents(intents, look));
  await eachPage(client.refunds.list(listed), look, (refunds) => judgeRefunds(refunds, look));
  await eachPage(client.disputes.list(listed), look, (disputes) => judgeDisputes(disputes, look));
  await eachPage(client.transfers.list(listed), look, (transfers) => judgeTransfers(transfers, look));
  await lookAgain(scope, look, await changedSince(client, gte, beat));
  for await (const page of pagesOf(pool, scope)) {
    beat();
    if (look.collected.isFull) break;
    await judgeOurs(page, look);
  }
  return look.collected.drifts;
}

async function eachPage<T extends { readonly id: string }>(
  list: AsyncIterable<T>,
  { seen, collected, beat }: Looking,
  judge: (page: readonly T[]) => Promise<void>,
): Promise<void> {
  for await (const page of inPages(list, PAGE)) {
    beat();
    if (collected.isFull) return;
    await judge(page);
    for (const { id } of page) seen.add(id);
  }
}

/** The money of the rides to which these belong, by the object’s id; what is not ours is not there. */
async function moneyByObject<T extends { readonly id: string }>(
  pool: Pool,
  objects: readonly T[],
  of: { intentId(object: T): string | undefined; metadata(object: T): Stripe.Metadata | null },
): Promise<Map<string, RideMoney>> {
  return looking(pool, async (tx) => {
    const intentIds = objects.flatMap((object) => of.intentId(object) ?? []);
    const known = await ridesOfIntents(tx, intentIds);
    const rides = new Map(
      objects.map((object) => [
        object.id,
        known.get(of.intentId(object) ?? '') ?? metadataId(of.metadata(object), 'rideId'),
      ]),
    );
    const money = await moneyOf(tx, [...new Set([...rides.values()].filter((id) => id !== undefined))]);
    return new Map(
      [...rides].flatMap(([id, rideId]) => {
        const ride = money.get(rideId ?? '');
        return ride ? [[id, ride] as const] : [];
      }),
    );
  });
}

async function judgeIntents(intents: readonly Stripe.PaymentIntent[], look: Looking): Promise<void> {
  const money = await moneyByObject(look.pool, intents, {
    intentId: ({ id }) => id,
    metadata: ({ metadata }) => metadata,
  });
  for (const intent of intents) {
    const ride = money.get(intent.id);
    if (ride) await judgeOne(intent, ride, look);
  }
}

/** Where too much was taken, what has gone back of it counts: nobody has to do any more about that. */
async function judgeOne(
  intent: Stripe.PaymentIntent,
  ride: RideMoney,
  { client, collected }: Looking,
): Promise<void> {
  let besideMinor = 0;
  if (takenTooMuchMinor(intent, ride) > 0)
    for await (const refund of client.refunds.list({ payment_intent: intent.id, limit: PAGE }))
      if (!isUndone(refund) && !isInFacts(refund, ride))
        besideMinor += fromProvider(refund.amount, refund.currency);
  collected.add(...judgeIntent(intent, ride, besideMinor));
}

const isInFacts = ({ id }: Stripe.Refund, ride: RideMoney): boolean => objectsOf(ride).refunds.has(id);

async function judgeRefunds(refunds: readonly Stripe.Refund[], look: Looking): Promise<void> {
  const money = await moneyByObject(look.pool, refunds, {
    intentId: (refund) => idOf(refund.payment_intent),
    metadata: ({ metadata }) => metadata,
  });
  for (const refund of refunds) {
    const ride = money.get(refund.id);
    if (ride) await judgeOneRefund(refund, ride, look);
  }
}

async function judgeOneRefund(refund: Stripe.Refund, ride: RideMoney, look: Looking): Promise<void> {
  const intentId = idOf(refund.payment_intent);
  if (intentId !== undefined && !isUndone(refund) && !isInFacts(refund, ride)) {
    const intent = await look.client.paymentIntents.retrieve(intentId);
    if (takenTooMuchMinor(intent, ride) > 0) return judgeOne(intent, ride, look);
  }
  look.collected.add(...judgeRefund(refund, ride));
}

async function judgeDisputes(
  disputes: readonly Stripe.Dispute[],
  { pool, collected }: Looking,
): Promise<void> {
  const ids = disputes.map(({ id }) => id);
  const rows = await rowsOf(pool, 'dispute', ids);
  const intentOf = (dispute: Stripe.Dispute): string => idOf(dispute.payment_intent) ?? '';
  const rides = await ridesOfIntents(pool, disputes.map(intentOf));
  for (const dispute of disputes) {
    const row = rows.get(dispute.id) ?? null;
    const rideId = row?.rideId ?? rides.get(intentOf(dispute));
    if (rideId) collected.add(...judgeDispute(dispute, rideId, row));
  }
}

async function judgeTransfers(
  transfers: readonly Stripe.Transfer[],
  { pool, collected }: Looking,
): Promise<void> {
  const payoutIds = transfers.map(({ metadata }) => metadataId(metadata, 'payoutId'));
  const rows = await rowsOf(
    pool,
    'payout',
    payoutIds.filter((id) => id !== undefined),
  );
  for (const [index, transfer] of transfers.entries()) {
    const payoutId = payoutIds[index];
    if (payoutId) collected.add(...judgeTransfer(transfer, payoutId, rows.get(payoutId) ?? null));
  }
}

/** Objects that differed before or have changed: nothing of ours may lead to them, and they may be older than the lists. */
async function lookAgain({ again }: Scope, look: Looking, changed: Changed): Promise<void> {
  const { client } = look;
  const retrieved = async <T>(
    name: 'intentId' | keyof Changed,
    retrieve: (id: string) => Promise<T>,
  ): Promise<T[]> => {
    const ids = new Set(again.flatMap(({ drift }) => drift.ids[name] ?? []));
    if (name !== 'intentId') for (const id of changed[name]) ids.add(id);
    const objects: T[] = [];
    for (const id of ids) {
      if (look.seen.has(id)) continue;
      const object = await ask(look, id, () => retrieve(id));
      if (object) objects.push(object);
    }
    return objects;
  };
  await judgeIntents(await retrieved('intentId', (id) => client.paymentIntents.retrieve(id)), look);
  await judgeRefunds(await retrieved('refundId', (id) => client.refunds.retrieve(id)), look);
  await judgeDisputes(await retrieved('disputeId', (id) => client.disputes.retrieve(id)), look);
  await judgeTransfers(await retrieved('transferId', (id) => client.transfers.retrieve(id)), look);
}

/** The other way round: what we tell of has to be there, listed or not. */
async function judgeOurs(page: Page, look: Looking): Promise<void> {
  const { pool, client, seen, collected } = look;
  const { money, disputes, payouts } = await looking(pool, async (tx) => ({
    money: await moneyOf(tx, page.payment),
    disputes: await rowsOf(tx, 'dispute', page.dispute),
    payouts: await rowsOf(tx, 'payout', page.payout),
  }));
  const unseen = (ids: Iterable<string>): string[] => [...ids].filter((id) => !seen.has(id));
  for (const ride of money.values()) {
    const { rideId, facts } = ride;
    const { currency = '' } = ride.payment ?? {};
    const { intents, refunds } = objectsOf(ride);
    for (const intentId of unseen(intents)) {
      const intent = await ask(look, intentId, () => client.paymentIntents.retrieve(intentId));
      const byMinor = -takenByFacts(facts, intentId);
      if (intent) await judgeOne(intent, ride, look);
      else collected.add(unknownToProvider({ rideId, intentId }, { byMinor, currency }));
    }
    for (const refundId of unseen(refunds)) {
      const refund = await ask(look, refundId, () => client.refunds.retrieve(refundId));
      if (refund) await judgeOneRefund(refund, ride, look);
      else collected.add(unknownToProvider({ rideId, refundId }));
    }
  }
  for (const [disputeId, row] of disputes) {
    if (seen.has(disputeId)) continue;
    const dispute = await ask(look, disputeId, () => client.disputes.retrieve(disputeId));
    const { rideId } = row;
    collected.add(
      ...(dispute ? judgeDispute(dispute, rideId, row) : [unknownToProvider({ rideId, disputeId })]),
    );
  }
  for (const [payoutId, row] of payouts) {
    const { transferId, amountMinor, currency } = row;
    if (transferId === null || seen.has(transferId)) continue;
    const transfer = await ask(look, transferId, () => client.transfers.retrieve(transferId));
    collected.add(
      ...(transfer
        ? judgeTransfer(transfer, payoutId, row)
        : [unknownToProvider({ payoutId, transferId }, { byMinor: amountMinor, currency })]),
    );
  }
}

/** The object, or null where the provider has none by that id. @throws where it does not answer */
async function ask<T>({ seen, beat }: Looking, id: string, retrieve: () => Promise<T>): Promise<T | null> {
  beat();
  const object = await orNull(retrieve());
  if (object !== null) seen.add(id);
  return object;
}
