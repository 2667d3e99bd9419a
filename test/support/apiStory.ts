import type { Policies } from '../../domain/policies';
import { terminalRideStatuses } from '../../domain/ride';
import { freshKey, startApi, type Answer, type Api } from './api';
import { eventually } from './backbone';
import { openEvents } from './events';

/** Who calls: a role and a subject. */
export type Person = readonly [role: string, sub: string];

export const rider: Person = ['rider', 'rider-1'];
export const operator: Person = ['operator', 'op-1'];
export const cash = { type: 'cash' };

/** What a problem is known by. */
export const problem = (answer: Answer): { status: number; type: string } => {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  return { status: answer.status, type: answer.body.type };
};
export const is = (status: number, code: string) => ({ status, type: `/problems/${code}` });

/** Starts the API for a test file, leaves no ride of one test to the drivers of the next, and tells what people do. */
export function apiStory({
  workers = true,
  policies = {},
}: { readonly workers?: boolean; readonly policies?: Partial<Policies> } = {}) {
  let api: Api | undefined;
  const running = (): Api => {
    if (api === undefined) throw new Error('the API has not started');
    return api;
  };

  beforeAll(async () => {
    const quick = { noShowAfterMs: 60_000, searchPauseMs: 100, freeCancellationMs: 0 };
    api = await startApi({ workers, policies: { ...quick, ...policies } });
  }, 120_000);
  afterAll(() => api?.stop(), 30_000);
  afterEach(async () => {
    const { rows } = await running().rides.query<{ rideId: string }>(
      `select ride_id as "rideId" from rides where status not in ('completed', 'cancelled')`,
    );
    for (const { rideId } of rows) await act(rideId, 'cancel', operator, {});
    for (const driverId of running().nearby.splice(0)) {
      await running().call('POST', '/v1/drivers/me/offline', { as: ['driver', driverId] });
    }
  });

  const requestRide = async (
    quoteToken: string,
    key = freshKey(),
    paymentMethod: unknown = cash,
    url?: string,
  ) =>
    running().call('POST', '/v1/rides', {
      as: rider,
      body: { quoteToken, paymentMethod },
      headers: { 'idempotency-key': key },
      ...(url === undefined ? {} : { url }),
    });

  async function newRide(paymentMethod: unknown = cash, quoteToken?: string): Promise<string> {
    const token = quoteToken ?? (await running().quote('rider-1')).token;
    const answer = await requestRide(token, freshKey(), paymentMethod);
    expect(answer.status).toBe(201);
    return answer.body.rideId;
  }

  async function onlineDriver(driverId: string): Promise<Person> {
    const as: Person = ['driver', driverId];
    await running().call('PUT', '/v1/drivers/me', { as, body: { name: driverId, plate: 'T-1' } });
    expect((await running().call('POST', '/v1/drivers/me/online', { as })).body).toMatchObject({
      online: true,
    });
    running().nearby.push(driverId);
    return as;
  }

  /** A ride that this driver has accepted. */
  async function assignedRide(
    driver: Person,
    paymentMethod: { readonly type: string } = cash,
    quoteToken?: string,
  ): Promise<string> {
    const offers = await openEvents(running(), '/v1/drivers/me/offers', driver);
    const rideId = await newRide(paymentMethod, quoteToken);
    const offer = await offers.next('offer');
    expect(offer.data).toMatchObject({ rideId, paymentMethod: paymentMethod.type });
    const accepted = await running().call('POST', `/v1/offers/${offer.data.offerId}/accept`, { as: driver });
    expect(accepted.body).toEqual({ offerId: offer.data.offerId, rideId, state: 'accepted' });
    expect(await offers.next('offer_over')).toMatchObject({ data: { offerId: offer.data.offerId } });
    offers.close();
    return rideId;
  }

  const act = (rideId: string, action: string, as: Person, body?: unknown) =>
    running().call('POST', `/v1/rides/${rideId}/${action}`, { as, body });

  /** A ride that is under way. */
  async function drivenRide(driver: Person, paymentMethod = cash, quoteToken?: string): Promise<string> {
    const rideId = await assignedRide(driver, paymentMethod, quoteToken);
    expect((await act(rideId, 'arrive', driver)).body).toMatchObject({ status: 'arrived' });
    const code = await codeOf(rideId);
    expect((await act(rideId, 'start', driver, { code })).body).toMatchObject({ status: 'in_progress' });
    return rideId;
  }

  /** What an operator does to a ride. */
  const operate = (rideId: string, action: string, body?: unknown) =>
    running().call('POST', `/v1/ops/rides/${rideId}/${action}`, { as: operator, body });

  const codeOf = async (rideId: string): Promise<string> =>
    (await running().call('GET', `/v1/rides/${rideId}`, { as: rider })).body.startCode;

  /** Waits until payments have followed the rides that are over. */
  async function paymentsRest(): Promise<void> {
    const { rows } = await running().rides.query<{ ride_id: string }>(
      'select ride_id from rides where status = any ($1)',
      [terminalRideStatuses],
    );
    await eventually(
      async () => {
        const open = await running().payments.query(
          `select from payments where payment_id = any ($1) and status in ('authorizing', 'authorized', 'cash_due')`,
          [rows.map(({ ride_id }) => ride_id)],
        );
        return open.rowCount;
      },
      (count) => count === 0,
    );
  }

  /** How many rows every table has that a request may write, where nothing is under way. */
  async function written(): Promise<Record<string, number>> {
    await paymentsRest();
    const counts: Record<string, number> = {};
    for (const table of ['claims', 'rides', 'steps', 'outbox', 'drivers', 'offers']) {
      const { rows } = await running().rides.query<{ count: number }>(
        `select count(*) as count from ${table}`,
      );
      counts[table] = rows[0]!.count;
    }
    for (const table of ['payments', 'ledger_entries', 'provider_intents', 'provider_events']) {
      const { rows } = await running().payments.query<{ count: number }>(
        `select count(*) as count from ${table}`,
      );
      counts[table] = rows[0]!.count;
    }
    const { rows } = await running().pricing.query<{ count: number }>('select count(*) as count from quotes');
    return { ...counts, quotes: rows[0]!.count };
  }

  return {
    get api() {
      return running();
    },
    requestRide,
    newRide,
    onlineDriver,
    assignedRide,
    drivenRide,
    act,
    operate,
    codeOf,
    written,
  };
}
