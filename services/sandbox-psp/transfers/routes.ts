import type { Router } from 'express';
import type { Sandbox } from '../commit';
import { mutation, query } from '../endpoint';
import { list } from '../lists';
import { reversalMovement, transferMovement } from '../movements';
import {
  createTransferParams,
  listParams,
  listTransfersParams,
  noParams,
  reverseTransferParams,
} from '../params';
import { noSuch } from '../stripeErrors';
import { createTransfer, reverseTransfer, type Transfer } from './transfer';

/** Transfers to connected accounts, and the balance that they are made from. */
export function transferRoutes(router: Router, sandbox: Sandbox): void {
  const { books } = sandbox;
  const transferOf = (id: string): Transfer => {
    const transfer = books.transfer(id);
    if (transfer === undefined) throw noSuch('transfer', id, 'id');
    return transfer;
  };

  router.post(
    '/transfers',
    mutation(sandbox, createTransferParams, (params, _id, { at }) => {
      const transfer = createTransfer(params, books.balanceMinor(params.currency.toUpperCase()), at);
      return {
        status: 200,
        body: transfer,
        transfer,
        movements: [transferMovement(transfer, at)],
        events: ['transfer.created'],
      };
    }),
  );
  router.post(
    '/transfers/:id/reversals',
    mutation(sandbox, reverseTransferParams, (params, id, { at }) => {
      const { transfer, reversal } = reverseTransfer(transferOf(id), params, at);
      return {
        status: 200,
        body: reversal,
        transfer,
        movements: [reversalMovement(reversal, at)],
        events: ['transfer.reversed'],
      };
    }),
  );
  router.get(
    '/transfers',
    query(sandbox, listTransfersParams, ({ destination, transfer_group: group, ...params }) =>
      list(
        '/v1/transfers',
        books.allTransfers(),
        params,
        (transfer) =>
          (destination ?? transfer.destination) === transfer.destination &&
          (group ?? transfer.transfer_group) === transfer.transfer_group,
      ),
    ),
  );
  router.get(
    '/transfers/:id',
    query(sandbox, noParams, (_params, id) => transferOf(id)),
  );
  router.get(
    '/transfers/:id/reversals',
    query(sandbox, listParams, (params, id) =>
      list(`/v1/transfers/${id}/reversals`, transferOf(id).reversals, params),
    ),
  );
  router.get(
    '/balance',
    query(sandbox, noParams, () => {
      const available = books.currencies().map((currency) => {
        const amount = books.balanceMinor(currency);
        return { amount, currency: currency.toLowerCase(), source_types: { card: amount } };
      });
      const pending = available.map((one) => ({ ...one, amount: 0, source_types: { card: 0 } }));
      return { object: 'balance', available, livemode: false, pending };
    }),
  );
}
