import type { EventStream } from '../../../platform/http';
import type { FleetBoard } from './fleetBoard';

/** A part of the picture that is sent whole when it has changed. */
interface Part {
  readonly value: unknown;
  readonly json: string;
  /** Rises with each change. */
  readonly version: number;
}

/** Parts in one event have at most so many bytes; one that has more goes alone. */
const MAX_EVENT_BYTES = 100_000;

/** What may wait for a slow reader: one event, and the largest part is that of 500 rides with all the stops they can have. */
export const MAX_UNREAD_BYTES = 512 * 1_024;

/** One who looks at the map: what they have got, and nothing that waits for them. */
interface Viewer {
  readonly stream: EventStream;
  frame: number;
  readonly versions: Map<string, number>;
}

/**
 * Sends each viewer what is new since the last event that they have read. Who has not read it yet gets nothing: for them
 * this frame is dropped, and the next one tells what both have changed. So memory does not grow with a slow reader.
 */
export class Viewers {
  private readonly viewers = new Set<Viewer>();
  private readonly parts = new Map<string, Part>();
  /** Events that were not sent, for their viewers had not read the one before. */
  dropped = 0;

  constructor(private readonly board: FleetBoard) {}

  get size(): number {
    return this.viewers.size;
  }

  /** @param onLeave is called when the stream is over */
  add(stream: EventStream, onLeave: () => void): void {
    const viewer: Viewer = { stream, frame: 0, versions: new Map() };
    this.viewers.add(viewer);
    stream.onEnd(() => {
      this.viewers.delete(viewer);
      onLeave();
    });
  }

  /** Sets a part of the picture. The same again is nothing new. */
  set(name: string, value: unknown): void {
    const json = JSON.stringify(value);
    const known = this.parts.get(name);
    if (known?.json !== json) this.parts.set(name, { value, json, version: (known?.version ?? 0) + 1 });
  }

  /** Sends where drivers are that have moved. Call it once for each frame. */
  sendFrame(): void {
    const { frame } = this.board;
    /** By the frame since which they have changed: most viewers ask for the same. */
    const changed = new Map<number, string>();
    for (const viewer of this.ready()) {
      const since = viewer.frame;
      if (since === frame) continue;
      const rows = changed.get(since) ?? this.board.since(since);
      changed.set(since, rows);
      viewer.frame = frame;
      if (rows !== '' || since === 0) send(viewer, { drivers: { all: since === 0, rows } });
    }
  }

  /** Sends the parts that are new. What has no room in an event is in the next one, with what changes until then. */
  sendParts(): void {
    for (const viewer of this.ready()) {
      const event: Record<string, unknown> = {};
      let bytes = 0;
      for (const [name, { value, json, version }] of this.parts) {
        const hasRoom = bytes === 0 || bytes + json.length <= MAX_EVENT_BYTES;
        if (viewer.versions.get(name) === version || !hasRoom) continue;
        viewer.versions.set(name, version);
        event[name] = value;
        bytes += json.length;
      }
      if (bytes > 0) send(viewer, event);
    }
  }

  private *ready(): Generator<Viewer> {
    for (const viewer of this.viewers)
      if (viewer.stream.unreadBytes > 0) this.dropped += 1;
      else yield viewer;
  }
}

const send = ({ stream }: Viewer, data: unknown): void => void stream.send({ event: 'map', data });
