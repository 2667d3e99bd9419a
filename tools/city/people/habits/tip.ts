import type { TipView } from '../../../../contracts/api/rides';
import { Refused } from '../../client/app';
import type { Trip } from '../trip';

const TIP_ATTEMPTS = 10;
const TIP_PAUSE_MS = 500;

/** A tip is a charge of its own after the fare's: while that is not through, it is asked again. */
export async function giveTip({ app, plan, rideId, kit }: Trip): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const body = { amountMinor: Math.min(plan.tipMinor, 100_000) };
      const { tipMinor } = await app.post<TipView>(`/v1/rides/${rideId}/tip`, body);
      kit.record.memories.tips.push({ rideId, tipMinor });
      return;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code !== 'tip_not_possible' || attempt === TIP_ATTEMPTS) return kit.record.surprised(error);
      await kit.clock.waitReal(TIP_PAUSE_MS);
    }
  }
}
