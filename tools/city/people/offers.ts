import type { OfferView } from '../../../contracts/api/drivers';
import type { App } from '../client/app';
import { streamEvents } from '../client/sse';
import type { Wire } from '../client/http';

/** The offers that reach a driver, the newest at a time: an older one that nobody took is forgotten. */
export interface OfferBox {
  /** Waits for an offer, null when none comes in this time (ours); throws the signal's reason. */
  next(withinMs: number): Promise<OfferView | null>;
  /** Reads the stream until the app's signal, whose reason it throws. */
  readonly reading: Promise<never>;
}

export function createOfferBox(wire: Wire, app: App): OfferBox {
  let newest: OfferView | null = null;
  let wake: () => void = () => {};

  const read = async (): Promise<never> => {
    for await (const { event, data } of streamEvents(wire, app, '/v1/drivers/me/offers')) {
      const offer = data as OfferView;
      if (event === 'offer') newest = offer;
      else if (newest?.offerId === offer.offerId) newest = null;
      wake();
    }
    throw new Error('impossible: the stream of offers goes on until the city ends');
  };
  app.signal.addEventListener('abort', () => wake());

  return {
    reading: read(),
    async next(withinMs) {
      if (newest === null) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      app.signal.throwIfAborted();
      const offer: OfferView | null = newest;
      newest = null;
      return offer;
    },
  };
}
