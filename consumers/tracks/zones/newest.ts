import { hashOfDriverKey, isKeyElsewhere, KEY_WORDS } from '../../../contracts/driverKey';
import { sequenceOf } from '../../../contracts/positionRecord';

/** Six megabytes: of two drivers who share a place the one who was heard of last has it. */
const PLACES = 2 ** 18;

/**
 * The newest sequence of the drivers who were heard of lately, of bounded size and forgetful: it says of a position that
 * it is late only where that is so.
 */
export class Newest {
  private readonly keys = new Int32Array(PLACES * KEY_WORDS);
  private readonly sequences = new Float64Array(PLACES).fill(-1);

  /** Whether a newer position of the row's driver has been here; remembers this one where it is none. */
  isLate(words: Int32Array, at: number): boolean {
    if (isKeyElsewhere(words, at)) return false;
    const place = hashOfDriverKey(words, at) & (PLACES - 1);
    const { keys, sequences } = this;
    const sequence = sequenceOf(words, at);
    let isKnown = sequences[place]! >= 0;
    for (let n = 0; n < KEY_WORDS; n++) isKnown = isKnown && keys[place * KEY_WORDS + n] === words[at + n];
    if (isKnown && sequence < sequences[place]!) return true;
    for (let n = 0; n < KEY_WORDS; n++) keys[place * KEY_WORDS + n] = words[at + n]!;
    sequences[place] = sequence;
    return false;
  }

  forget(): void {
    this.sequences.fill(-1);
  }
}
