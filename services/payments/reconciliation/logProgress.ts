interface Place {
  readonly key: string;
  readonly sequence: number;
}

/** How far each key is on the log: a number for each, whatever there is of it. */
export interface LogProgress {
  knows(key: string): boolean;
  /** Of a key that was not met yet: up to this version all was on the log before. */
  begin(key: string, upTo: number): void;
  /** Notes a record of a key that is known; answers whether a later one of its key came before it. */
  follow(place: Place): boolean;
  /** Whether a later one of its key was there before. */
  isBehind(place: Place): boolean;
  has(place: Place): boolean;
}

export function createLogProgress(): LogProgress {
  /** Up to this version everything is there. */
  const upTo = new Map<string, number>();
  /** What came before its predecessors. */
  const ahead = new Map<string, Set<number>>();
  const has = ({ key, sequence }: Place): boolean =>
    sequence <= (upTo.get(key) ?? 0) || ahead.get(key)?.has(sequence) === true;
  return {
    has,
    knows: (key) => upTo.has(key),
    begin: (key, version) => void upTo.set(key, version),
    isBehind: ({ key, sequence }) => sequence < (upTo.get(key) ?? 0),
    follow({ key, sequence }) {
      if (has({ key, sequence })) return false;
      let last = upTo.get(key) ?? 0;
      const waiting = ahead.get(key);
      if (sequence > last + 1) {
        if (waiting) waiting.add(sequence);
        else ahead.set(key, new Set([sequence]));
        return false;
      }
      last = sequence;
      while (waiting?.delete(last + 1)) last += 1;
      upTo.set(key, last);
      if (waiting?.size === 0) ahead.delete(key);
      return waiting !== undefined;
    },
  };
}
