import { openDoor, type Door, type Piece, type Reading } from './doors';

/** The kinds of requests that are looked for, by Kafka's numbers. */
export const kafkaApi = { produce: 0, offsetCommit: 8 } as const;
/** Those whose answers name brokers: metadata, and a group's coordinator. */
const namesBrokers = new Set([3, 10]);

/** To Kafka's one broker (host:port), which names itself to its clients: here by the door's address. */
export const openKafkaDoor = (broker: string): Promise<Door> =>
  openDoor(broker, (own) => messagesOfKafka(broker, own));

/**
 * Reads one connection's messages, each a length and so many bytes: requests begin with their kind, version and number,
 * answers with that number. An answer that names `broker` (host:port) names `own` instead.
 */
function messagesOfKafka(broker: string, own: string): Reading {
  const asked = new Map<number, { readonly api: number; readonly request: Buffer }>();
  const [theirs, ours] = [encoded(broker), encoded(own)];
  return {
    client: framed((bytes): Piece => {
      const api = bytes.readInt16BE(4);
      asked.set(bytes.readInt32BE(8), { api, request: bytes });
      return { bytes, is: (sign) => sign.of === 'request' && sign.api === api && bytes.includes(sign.text) };
    }),
    server: framed((bytes): Piece => {
      const number = bytes.readInt32BE(4);
      const to = asked.get(number);
      asked.delete(number);
      return {
        bytes: to && namesBrokers.has(to.api) ? withInstead(bytes, theirs, ours) : bytes,
        is: (sign) =>
          sign.of === 'answer' && to !== undefined && sign.api === to.api && to.request.includes(sign.text),
      };
    }),
  };
}

const LENGTH = 4;

/** Cuts a stream into its messages, each with its length before it. */
function framed(piece: (message: Buffer) => Piece): (chunk: Buffer) => Piece[] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const pieces: Piece[] = [];
    while (rest.length >= LENGTH && rest.length >= LENGTH + rest.readInt32BE(0)) {
      const end = LENGTH + rest.readInt32BE(0);
      pieces.push(piece(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
    return pieces;
  };
}

/** host:port as answers have it: the host's length, the host, the port. */
function encoded(address: string): Buffer {
  const at = address.lastIndexOf(':');
  const host = Buffer.from(address.slice(0, at));
  const bytes = Buffer.alloc(2 + host.length + 4);
  bytes.writeInt16BE(host.length);
  host.copy(bytes, 2);
  bytes.writeInt32BE(Number(address.slice(at + 1)), 2 + host.length);
  return bytes;
}

function withInstead(message: Buffer, theirs: Buffer, ours: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = LENGTH;
  for (let at = message.indexOf(theirs, from); at >= 0; at = message.indexOf(theirs, from)) {
    parts.push(message.subarray(from, at), ours);
    from = at + theirs.length;
  }
  const body = Buffer.concat([...parts, message.subarray(from)]);
  const length = Buffer.alloc(LENGTH);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}
