import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import type { QuoteClaims } from '../../../contracts/api/quotes';
import { upfrontFare } from '../../../domain/fare';
import { startCodeFor } from '../../../services/rides/startCode';
import { driverIdOf, pickupOf, type Ground, type House } from './house';
import { createWatch, type Watch } from './watch';

/** A ride that has been driven and paid. */
export interface Driven {
  readonly rideId: string;
  /** How long `POST /v1/rides` took to answer, in milliseconds. */
  readonly requestMs: number;
}

/** The people of one house: each driver has a rider, and a pickup where nobody else waits. */
export interface People {
  /** Registers drivers `from` to `to - 1`, online. */
  register(from: number, to: number): Promise<void>;
  /** A standard ride with this driver, to its capture: one offer, accepted, driven, captured. */
  ride(driver: number): Promise<Driven>;
  /** The same up to its driver's accept; then the driver stays on the way. */
  setOut(driver: number): Promise<void>;
  stop(): Promise<void>;
}

export function createPeople(house: House, { issuer, secrets }: Pick<Ground, 'issuer' | 'secrets'>): People {
  const watch: Watch = createWatch(house);
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (role: 'rider' | 'driver', sub: string): Promise<string> => {
    const known = tokens.get(sub) ?? issuer.mintToken({ role, sub });
    tokens.set(sub, known);
    return known;
  };

  const call = async (
    method: string,
    path: string,
    as: string,
    body?: object,
    key?: string,
  ): Promise<unknown> => {
    const response = await fetch(`${house.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${house.name}: ${method} ${path} answered ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  const request = async (driver: number): Promise<Driven> => {
    const riderId = `bench-rider-${driver}`;
    const quoteToken = await signQuote(secrets.of('quote'), riderId, driver);
    const body = { quoteToken, paymentMethod: { type: 'card', token: 'pm_card_visa' } };
    const rider = await tokenOf('rider', riderId);
    const askedAt = performance.now();
    const { rideId } = (await call('POST', '/v1/rides', rider, body, randomUUID())) as { rideId: string };
    return { rideId, requestMs: performance.now() - askedAt };
  };

  const accept = async (rideId: string, driver: number): Promise<string> => {
    const token = await tokenOf('driver', driverIdOf(driver));
    const offerId = await watch.offerTo(driverIdOf(driver), rideId);
    await call('POST', `/v1/offers/${offerId}/accept`, token);
    return token;
  };

  const drive = async (rideId: string, driver: number): Promise<void> => {
    const token = await accept(rideId, driver);
    await call('POST', `/v1/rides/${rideId}/arrive`, token);
    await call('POST', `/v1/rides/${rideId}/start`, token, {
      code: startCodeFor(secrets.of('ride-code'), rideId),
    });
    await call('POST', `/v1/rides/${rideId}/complete`, token);
  };

  return {
    async register(from, to) {
      for (let driver = from; driver < to; driver += 1) {
        const token = await tokenOf('driver', driverIdOf(driver));
        const details = { name: `Driver ${driver}`, plate: `B-${driver}`, product: 'standard' };
        await call('PUT', '/v1/drivers/me', token, details);
        await call('POST', '/v1/drivers/me/online', token);
      }
    },
    async ride(driver) {
      const driven = await request(driver);
      await drive(driven.rideId, driver);
      await watch.captured(driven.rideId);
      return driven;
    },
    async setOut(driver) {
      const { rideId } = await request(driver);
      await accept(rideId, driver);
    },
    stop: () => watch.stop(),
  };
}

const trip = { distanceMeters: 4_000, durationSeconds: 900 };

/** A quote as pricing signs it; asking pricing is no part of what is measured. */
async function signQuote(secret: string, riderId: string, driver: number): Promise<string> {
  const pickup = pickupOf(driver);
  const claims: QuoteClaims = {
    quoteId: uuidv7(),
    riderId,
    product: 'standard',
    pickup,
    stops: [],
    dropoff: { ...pickup, lng: pickup.lng + 0.04 },
    ...trip,
    surge: 1,
    fare: upfrontFare({ product: 'standard', ...trip, surge: 1 }) as QuoteClaims['fare'],
    scheduledFor: null,
    expiresAt: new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 600_000).toISOString(),
  };
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'quote+jwt' })
    .setExpirationTime(new Date(claims.expiresAt))
    .sign(new TextEncoder().encode(secret));
}
