import { createHash } from 'node:crypto';
import { AssignerProtocol, type Kafka, type PartitionAssigner } from './kafkajs';
import { withAdmin } from './client';

/** A member of a group whose partitions are held in copies. */
export interface CopyHolder {
  /** What the member says of itself to the others: its address. */
  readonly says: string;
  /** Its partitions by topic. */
  readonly assigned: Readonly<Record<string, readonly number[]>>;
}

const { MemberAssignment, MemberMetadata } = AssignerProtocol;

/**
 * Has each partition read by so many members of the group at once: for consumers that keep what they read in memory and
 * answer from it, so that there is another who can when one is gone. Kafka minds no partition given twice; the offsets
 * that such members commit are only a measure of how far they are. Members are told apart by what they say.
 */
export const inCopies =
  ({ copies, says }: { readonly copies: number; readonly says: string }): PartitionAssigner =>
  ({ cluster }) => ({
    name: 'hailway-copies',
    version: 0,

    async assign({ members, topics }) {
      const names = new Map(
        members.map(({ memberId, memberMetadata }) => [
          memberId,
          MemberMetadata.decode(memberMetadata)?.userData.toString() ?? '',
        ]),
      );
      const shares = new Map<string, Record<string, number[]>>();
      for (const { memberId } of members) shares.set(memberId, {});
      for (const topic of topics) {
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        for (const [memberId, share] of spread(partitions, names, copies))
          shares.get(memberId)![topic] = share;
      }
      return [...shares].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
      }));
    },
    protocol: ({ topics }) => ({
      name: 'hailway-copies',
      metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.from(says) }),
    }),
  });

/**
 * Gives each partition to `copies` members, or to all where they are fewer. Of those who have room yet (nobody has more
 * than his share) it takes the ones that rank highest for the partition by a hash of both, so that one who comes or goes
 * moves little that is not his (rendezvous hashing: Thaler and Ravishankar 1998).
 * @param names by member: what the hash is of
 * @returns the partitions by member
 */
export function spread(
  partitions: readonly number[],
  names: ReadonlyMap<string, string>,
  copies: number,
): Map<string, number[]> {
  const shares = new Map([...names.keys()].map((member) => [member, [] as number[]]));
  const perPartition = Math.min(copies, names.size);
  const most = Math.ceil((partitions.length * perPartition) / Math.max(1, names.size));
  for (const partition of [...partitions].sort((a, b) => a - b)) {
    const ranked = [...names]
      .map(([member, name]) => ({ member, rank: rankOf(partition, name), has: shares.get(member)!.length }))
      .sort((a, b) => Math.max(a.has, most - 1) - Math.max(b.has, most - 1) || (a.rank < b.rank ? -1 : 1));
    for (const { member } of ranked.slice(0, perPartition)) shares.get(member)!.push(partition);
  }
  return shares;
}

const rankOf = (partition: number, name: string): string =>
  createHash('sha256').update(`${partition} ${name}`).digest('hex');

/** Who holds what of a group, as Kafka has it; null while the group is about to share anew. */
export async function copyHolders(kafka: Kafka, group: string): Promise<CopyHolder[] | null> {
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([group]));
  const [described] = groups;
  if (described?.state !== 'Stable') return null;
  return described.members.map(({ memberMetadata, memberAssignment }) => ({
    says: MemberMetadata.decode(memberMetadata)?.userData.toString() ?? '',
    assigned: MemberAssignment.decode(memberAssignment)?.assignment ?? {},
  }));
}
