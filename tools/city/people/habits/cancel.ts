import type { CancellationPreview, RideView } from '../../../../contracts/api/rides';
import type { Trip } from '../trip';
import { noteRefusal } from '../record';

/** Looks what a cancel would cost, and cancels: at that fee. */
export async function cancelAsPreviewed({ app, rideId, kit: { record } }: Trip): Promise<void> {
  const cancel = async (): Promise<void> => {
    const previewedAt = new Date().toISOString();
    const preview = await app.get<CancellationPreview>(`/v1/rides/${rideId}/cancellation`);
    const { feeMinor: previewedMinor, previewToken } = preview;
    await app.post<RideView>(`/v1/rides/${rideId}/cancel`, { reason: 'changed_mind', previewToken });
    record.memories.cancels.push({ rideId, previewedAt, previewedMinor });
  };
  await cancel().catch(noteRefusal(record));
}
