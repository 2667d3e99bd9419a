import { newId } from '../ids';
import { unixSeconds, type Metadata } from '../paymentIntent';
import { mustExist } from '../paymentIntents';
import { cardRefused, invalidRequest, noSuch } from '../stripeErrors';
import { isTestToken, ownCardOf } from '../testCards';
import type { Customer, PaymentMethod, Wallets } from './wallets';

/** POST /v1/customers. */
export function createCustomer(params: { description?: string; metadata?: Metadata }, at: Date): Customer {
  const { description = null, metadata = {} } = params;
  return { id: newId('cus'), object: 'customer', created: unixSeconds(at), description, metadata };
}

/** @throws StripeError for one that never was or is deleted; `status` is 400 where a parameter names it */
export function mustBeCustomer(wallets: Wallets, id: string, param: 'customer' | 'id'): Customer {
  const customer = wallets.customer(id);
  if (customer === undefined || customer.deleted)
    throw noSuch('customer', id, param, param === 'customer' ? 400 : 404);
  return customer;
}

/**
 * POST /v1/payment_methods/:id/attach. A test token is no card: each time it makes one of its own, as at Stripe.
 * @throws StripeError where the card is somebody's, used up, unknown, or one that cannot be attached
 */
export function attachMethod(
  wallets: Wallets,
  { id, customer }: { readonly id: string; readonly customer: string },
  at: Date,
): PaymentMethod {
  const card = mustExist(id, 404);
  mustBeCustomer(wallets, customer, 'customer');
  if (wallets.method(id) !== undefined)
    throw invalidRequest('The payment method you provided has already been attached to a customer.');
  if (wallets.isUsedUp(id))
    throw invalidRequest(
      'This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and ' +
        'may not be used again.',
    );
  if (card.declined !== undefined && !card.attachable) throw cardRefused(card.declined);
  return {
    id: isTestToken(id) ? ownCardOf(id, newId('pm')) : id,
    object: 'payment_method',
    created: unixSeconds(at),
    customer,
  };
}

/**
 * Whether a customer, or nobody in particular, may be charged by this card: one that is somebody's by nobody else, one
 * that is nobody's once. Test tokens by everybody.
 * @throws StripeError 400
 */
export function mustBeUsable(
  wallets: Wallets,
  { method, customer, offSession }: { method: string | null; customer: string | null; offSession?: boolean },
): void {
  if (customer !== null) mustBeCustomer(wallets, customer, 'customer');
  if (method === null || isTestToken(method)) return;
  mustExist(method);
  if (wallets.isUsedUp(method)) throw usedUp();
  const owner = wallets.method(method)?.customer ?? null;
  if (owner === customer) return;
  const param = 'payment_method';
  if (owner !== null)
    throw invalidRequest(
      customer === null
        ? `The PaymentMethod supplied (${method}) belongs to a Customer. Please also include the Customer in the ` +
            '`customer` parameter on this request.'
        : `The PaymentMethod supplied (${method}) does not belong to the Customer ${customer}.`,
      { param },
    );
  if (offSession === true)
    throw invalidRequest(
      `The customer does not have a payment method with the ID ${method}. The payment method must be attached to ` +
        'the customer.',
      { code: 'resource_missing', param },
    );
}

const usedUp = (): Error =>
  invalidRequest(
    'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a ' +
      'connected account without Customer attachment, or was detached from a Customer. It may not be used again. To ' +
      'use a PaymentMethod multiple times, you must attach it to a Customer first.',
  );
