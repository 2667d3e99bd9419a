import type { Router } from 'express';
import type { Sandbox } from '../commit';
import { mutation, query } from '../endpoint';
import { list } from '../lists';
import { attachMethodParams, createCustomerParams, listParams, noParams } from '../params';
import { noSuch } from '../stripeErrors';
import { attachMethod, createCustomer, mustBeCustomer } from './rules';

/** Customers of Stripe's API, and the cards that are attached to them. */
export function customerRoutes(router: Router, sandbox: Sandbox): void {
  const { wallets } = sandbox.books;
  router.post(
    '/customers',
    mutation(sandbox, createCustomerParams, (params, _id, { at }) => {
      const customer = createCustomer(params, at);
      return { status: 200, body: customer, customer };
    }),
  );
  router.get(
    '/customers',
    query(sandbox, listParams, (params) => list('/v1/customers', wallets.allCustomers(), params)),
  );
  router.get(
    '/customers/:id',
    query(sandbox, noParams, (_params, id) => {
      const customer = wallets.customer(id);
      if (customer === undefined) throw noSuch('customer', id, 'id');
      return customer;
    }),
  );
  router.delete(
    '/customers/:id',
    mutation(sandbox, noParams, (_params, id) => {
      const customer = { ...mustBeCustomer(wallets, id, 'id'), deleted: true } as const;
      return { status: 200, body: customer, customer };
    }),
  );
  router.get(
    '/customers/:id/payment_methods',
    query(sandbox, listParams, (params, id) => {
      const { id: customerId } = mustBeCustomer(wallets, id, 'id');
      return list(`/v1/customers/${id}/payment_methods`, wallets.methodsOf(customerId), params);
    }),
  );
  router.get(
    '/customers/:customer/payment_methods/:id',
    query(sandbox, noParams, (_params, id, { customer = '' }) => {
      mustBeCustomer(wallets, customer, 'id');
      const method = wallets.method(id);
      if (method?.customer !== customer) throw noSuch('PaymentMethod', id, 'payment_method');
      return method;
    }),
  );
  router.post(
    '/payment_methods/:id/attach',
    mutation(sandbox, attachMethodParams, ({ customer }, id, { at }) => {
      const method = attachMethod(wallets, { id, customer }, at);
      return { status: 200, body: method, method };
    }),
  );
}
