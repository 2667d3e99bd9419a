import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { withTransaction } from '../../../platform/postgres';
import { wait } from '../../../platform/wait';
import {
  forgetCard,
  forgetCustomer,
  payerOf,
  riderKeyOf,
  storeCard,
  storeCustomer,
} from '../books/customerStore';
import { keyVersion, retireKey } from '../books/paymentStore';
import { CardNotUsable, isRefusal, isStillAsked, withIdempotencyKey, type ProviderAccess } from './client';

/** Whose card is to be charged. */
export interface CardOfRider {
  readonly paymentId: string;
  /** As the rider's app has named it. */
  readonly token: string;
  /** What the card is attached for is a part of the key. */
  readonly step: string;
}

/** Who is charged, and by what: as the provider calls them. */
export interface Payer {
  readonly customerId: string;
  readonly paymentMethod: string;
}

/** Short, for keys: the provider takes a key for one request only, and who pays is a part of it. */
export const fingerprintOf = ({ customerId, paymentMethod }: Payer): string =>
  createHash('sha256').update(`${customerId}/${paymentMethod}`).digest('hex').slice(0, 16);

/** How long a first charge waits for another one of the same rider, which is making their customer. */
const inUsePauseMs = 100;
const mostTries = 10;

/**
 * Has `charge` done with the rider's customer at the provider, and with the card, attached to them: it could be charged
 * once only otherwise. A rider has one customer, and a card is attached once; what is known costs no request. What the
 * provider has lost since (a customer is deleted there who wants to be forgotten) is made anew, once.
 * @throws CardNotUsable, the issuer's refusal, whatever `charge` throws, and whatever leaves the outcome unknown
 */
export const asCustomer = <T>(
  access: ProviderAccess,
  card: CardOfRider,
  charge: (payer: Payer) => Promise<T>,
): Promise<T> => attempt(access, card, charge, { mayBeLost: true });

async function attempt<T>(
  access: ProviderAccess,
  card: CardOfRider,
  charge: (payer: Payer) => Promise<T>,
  { mayBeLost }: { readonly mayBeLost: boolean },
): Promise<T> {
  const { riderId, ...known } = await payerOf(access.pool, card.paymentId, card.token);
  const customerId = known.customerId ?? (await newCustomer(access, riderId));
  try {
    const paymentMethod = known.paymentMethod ?? (await attach(access, customerId, card));
    return await charge({ customerId, paymentMethod });
  } catch (error) {
    const lost = mayBeLost && isRefusal(error) ? lostBy(error) : undefined;
    if (lost === undefined) throw error;
    if (lost === 'customer') await forget(access, riderId, customerId);
    else await forgetCard(access.pool, customerId, card.token);
    return attempt(access, card, charge, { mayBeLost: false });
  }
}

const stepOf = (riderId: string): string => `rider/${riderKeyOf(riderId)}/customer`;

async function newCustomer(access: ProviderAccess, riderId: string): Promise<string> {
  const create = (idempotencyKey: string) =>
    access.client.customers.create({ metadata: { riderKey: riderKeyOf(riderId) } }, { idempotencyKey });
  for (let tries = 1; ; tries += 1) {
    try {
      const { id } = await withIdempotencyKey(access, stepOf(riderId), create);
      return await storeCustomer(access.pool, riderId, id);
    } catch (error) {
      // Another charge of the rider's is at it: soon the key has its answer.
      if (!isStillAsked(error) || tries === mostTries) throw error;
      await wait(inUsePauseMs);
    }
  }
}

async function attach(
  access: ProviderAccess,
  customerId: string,
  { paymentId, step, token }: CardOfRider,
): Promise<string> {
  const { client, pool } = access;
  const key = `${paymentId}/${step}/attach/${customerId}`;
  const request = (idempotencyKey: string) =>
    client.paymentMethods.attach(token, { customer: customerId }, { idempotencyKey });
  const attached = await withIdempotencyKey(access, key, request).catch((error: unknown) => {
    if (!isRefusal(error) || error.param === 'customer') throw error;
    if (error.statusCode === 404) throw new CardNotUsable('unknown_payment_method');
    // It may be theirs already: by another charge at once, or by an attempt that was lost before it was stored.
    return client.customers.retrievePaymentMethod(customerId, token).catch((notTheirs: unknown) => {
      throw isRefusal(notTheirs) ? new CardNotUsable('payment_method_not_usable') : notTheirs;
    });
  });
  return storeCard(pool, { customerId, token, paymentMethod: attached.id });
}

/** Who is gone; undefined where the refusal is of something else. That a card was taken off, Stripe says without a code. */
function lostBy({ param, code }: Stripe.errors.StripeInvalidRequestError): 'customer' | 'card' | undefined {
  if (param === 'customer') return 'customer';
  return param === 'payment_method' || (!param && !code) ? 'card' : undefined;
}

/** The next customer of the rider is made under another key: under this one is who is gone. */
const forget = ({ pool }: ProviderAccess, riderId: string, customerId: string): Promise<void> =>
  withTransaction(pool, async (tx) => {
    if (!(await forgetCustomer(tx, customerId))) return;
    await retireKey(tx, stepOf(riderId), await keyVersion(tx, stepOf(riderId)));
  });
