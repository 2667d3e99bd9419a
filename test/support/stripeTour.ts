import type Stripe from 'stripe';
import { refusal, type RunningPsp } from './sandboxPsp';

/** Every request of Stripe's API that the sandbox answers, with answers of each kind. */
export async function askEverything(stripe: Stripe, psp: RunningPsp): Promise<void> {
  const intent = (payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
    stripe.paymentIntents.create({
      amount: 2_500,
      currency: 'usd',
      payment_method,
      allowed_payment_method_types: ['card'],
      metadata: { rideId: 'ride-1' },
      ...more,
    });
  const paid = (payment_method: string) => intent(payment_method, { confirm: true });

  const asked = await intent('pm_card_threeDSecure2Required');
  await stripe.paymentIntents.confirm(asked.id, { return_url: 'https://hailway.example/back' });
  await psp.post(`/sandbox/payment_intents/${asked.id}/authenticate`, { outcome: 'failed' });
  await stripe.paymentIntents.retrieve(asked.id);
  await stripe.paymentIntents.cancel(asked.id, { cancellation_reason: 'abandoned' });
  const withSdk = await intent('pm_card_threeDSecure2Required', { confirm: true });
  await refusal(stripe.paymentIntents.capture(withSdk.id));
  await refusal(paid('pm_card_visa_chargeDeclined'));
  await refusal(stripe.paymentIntents.retrieve('pi_none'));
  await refusal(stripe.paymentIntents.create({ amount: 49, currency: 'usd' }));
  await stripe.paymentIntents.list({ limit: 100, created: { gte: 1 } });
  await stripe.paymentIntents.search({ query: "metadata['rideId']:'ride-1'" });

  const { id, latest_charge } = await paid('pm_card_refundFail');
  const refund = await stripe.refunds.create({
    payment_intent: id,
    amount: 500,
    metadata: { refundKey: '1' },
  });
  psp.pass(60 * 60 * 1_000);
  await stripe.refunds.retrieve(refund.id);
  await stripe.refunds.list({ payment_intent: id });
  await stripe.charges.retrieve(latest_charge as string);

  const disputed = await paid('pm_card_createDispute');
  const [dispute] = (await stripe.disputes.list({ payment_intent: disputed.id })).data;
  const evidence = { uncategorized_text: 'winning_evidence' };
  await stripe.disputes.update(dispute!.id, { evidence, submit: false });
  await stripe.disputes.update(dispute!.id, { evidence });
  await stripe.disputes.retrieve(dispute!.id);
  const [lost] = (await stripe.disputes.list({ payment_intent: (await paid('pm_card_createDispute')).id }))
    .data;
  await stripe.disputes.close(lost!.id);

  const inquired = await paid('pm_card_createDisputeInquiry');
  await stripe.disputes.list({ payment_intent: inquired.id });

  const customer = await stripe.customers.create({ metadata: { riderKey: '1' } });
  await stripe.customers.retrieve(customer.id);
  await stripe.customers.list({ limit: 1 });
  const { id: ofCustomer } = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
  await stripe.customers.retrievePaymentMethod(customer.id, ofCustomer);
  await refusal(stripe.customers.retrievePaymentMethod(customer.id, 'pm_card_visa'));
  await stripe.customers.listPaymentMethods(customer.id);
  await intent(ofCustomer, { customer: customer.id, confirm: true, off_session: true });
  await refusal(paid(ofCustomer));
  await refusal(stripe.paymentMethods.attach('pm_card_visa_chargeDeclined', { customer: customer.id }));
  await stripe.customers.del(customer.id);

  await psp.post('/sandbox/funds', { amount: 10_000, currency: 'usd' });
  const transfer = await stripe.transfers.create({
    amount: 2_000,
    currency: 'usd',
    destination: 'acct_driver1',
    transfer_group: 'payout-1',
    metadata: { payoutId: 'payout-1' },
  });
  await stripe.transfers.createReversal(transfer.id, { amount: 500 });
  await stripe.transfers.retrieve(transfer.id);
  await stripe.transfers.list({ transfer_group: 'payout-1' });
  await stripe.transfers.listReversals(transfer.id);
  await stripe.balance.retrieve();
  await stripe.events.list({
    limit: 100,
    created: { gte: 1 },
    types: ['refund.failed', 'transfer.reversed'],
  });
  await stripe.events.retrieve((await stripe.events.list()).data[0]!.id);
}
