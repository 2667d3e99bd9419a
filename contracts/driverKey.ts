import { personsId } from '../domain/names';

/**
 * A driver's id in 16 bytes, so that an index of drivers needs no strings. Byte 6 says which form it has:
 * - its high nibble 1 to 8, and the two high bits of byte 8 `10`: the bytes of a UUID, as RFC 9562 has them;
 * - 0xe0 + n: a text of n characters, 1 to 15, in ASCII in the other 15 bytes, zeros behind;
 * - 0xf0, all others zero: a text that is longer, which stands elsewhere.
 * Each id has one form only. As 32-bit words, four a key, bytes are in little-endian order.
 */
export const KEY_WORDS = 4;

const LONGEST_TEXT = 15;
const formByte = 6;
const textForm = 0xe0;
const elsewhere = 0xf0;
/** Bytes of a text's characters: all but the one that says the form. */
const textBytes = Array.from({ length: LONGEST_TEXT }, (_, n) => (n < formByte ? n : n + 1));
/** A UUID's characters that are its bytes' first digits. */
const digitsAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/**
 * The texts of UUIDs, but for their digits: written to and read in one go, as strings that grow digit by digit cost several
 * times as much, and each reading half as much as writing an id.
 */
const UUID_LENGTH = 36;
const TOGETHER = 16;
const uuidTexts = Buffer.alloc(TOGETHER * UUID_LENGTH, '-');
const uuidView = new DataView(uuidTexts.buffer, uuidTexts.byteOffset, uuidTexts.length);
/** The two characters of each byte. */
const digitsOf = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16BE(),
);
/** By character code; 255 for what is no lower-case hexadecimal digit. */
const digitOf = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 16; digit++) digitOf[digit.toString(16).charCodeAt(0)] = digit;
/** By character code: what ids are made of. */
const isInIds = new Uint8Array(256);
for (let code = 0; code < 128; code++) isInIds[code] = personsId.test(String.fromCharCode(code)) ? 1 : 0;

const byteAt = (words: Int32Array, at: number, byte: number): number =>
  (words[at + (byte >> 2)]! >>> ((byte & 3) * 8)) & 0xff;

const orByte = (words: Int32Array, at: number, byte: number, value: number): void => {
  words[at + (byte >> 2)]! |= value << ((byte & 3) * 8);
};

/**
 * Writes the key of an id (letters, digits, _ and -, 1 to 64) to `words[at]` and the three behind it.
 * @returns false where the id is one of those that stand elsewhere
 */
export function writeDriverKey(id: string, words: Int32Array, at: number): boolean {
  if (id.length === 36 && writeUuid(id, words, at)) return true;
  words.fill(0, at, at + KEY_WORDS);
  const isShort = id.length <= LONGEST_TEXT;
  orByte(words, at, formByte, isShort ? textForm + id.length : elsewhere);
  if (isShort) for (let n = 0; n < id.length; n++) orByte(words, at, textBytes[n]!, id.charCodeAt(n));
  return isShort;
}

function writeUuid(id: string, words: Int32Array, at: number): boolean {
  if (id[8] !== '-' || id[13] !== '-' || id[18] !== '-' || id[23] !== '-') return false;
  words.fill(0, at, at + KEY_WORDS);
  for (let byte = 0; byte < 16; byte++) {
    const high = digitOf[id.charCodeAt(digitsAt[byte]!)] ?? 255;
    const low = digitOf[id.charCodeAt(digitsAt[byte]! + 1)] ?? 255;
    if ((high | low) > 15) return false;
    orByte(words, at, byte, high * 16 + low);
  }
  return isUuidKey(words, at);
}

const isUuidKey = (words: Int32Array, at: number): boolean => {
  const version = (words[at + 1]! >>> 20) & 0xf;
  return version >= 1 && version <= 8 && (words[at + 2]! & 0xc0) === 0x80;
};

/** Whether the id is one that stands elsewhere. */
export const isKeyElsewhere = (words: Int32Array, at: number): boolean =>
  words[at + 1] === elsewhere << 16 && words[at] === 0 && words[at + 2] === 0 && words[at + 3] === 0;

/** Whether these four words are the key of some id. */
export function isDriverKey(words: Int32Array, at: number): boolean {
  if (isUuidKey(words, at) || isKeyElsewhere(words, at)) return true;
  const length = byteAt(words, at, formByte) - textForm;
  if (length < 1 || length > LONGEST_TEXT) return false;
  return textBytes.every((byte, n) => {
    const code = byteAt(words, at, byte);
    return n < length ? isInIds[code] === 1 : code === 0;
  });
}

/** A number of 32 bits for the key at `words[at]`, well spread over tables. Ids that stand elsewhere share one. */
export function hashOfDriverKey(words: Int32Array, at: number): number {
  let hash = Math.imul(words[at]!, 0x9e3779b1) ^ words[at + 1]!;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77) ^ words[at + 2]!;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae3d) ^ words[at + 3]!;
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
  return hash ^ (hash >>> 15);
}

/** The id of a key that does not stand elsewhere. */
export function driverIdOfKey(words: Int32Array, at: number): string {
  if (!isUuidKey(words, at)) return shortText(words, at);
  writeUuidText(words, at, 0);
  return uuidTexts.toString('latin1', 0, UUID_LENGTH);
}

/** Adds the ids of the keys at the first `count` places: quicker than one by one. Nothing is said of those that stand elsewhere. */
export function driverIdsOfKeys(words: Int32Array, places: Int32Array, count: number, ids: string[]): void {
  for (let first = 0; first < count; first += TOGETHER) {
    const end = Math.min(count, first + TOGETHER);
    for (let n = first; n < end; n++) writeUuidText(words, places[n]!, (n - first) * UUID_LENGTH);
    const texts = uuidTexts.toString('latin1', 0, (end - first) * UUID_LENGTH);
    for (let n = first; n < end; n++) {
      const from = (n - first) * UUID_LENGTH;
      const isUuid = isUuidKey(words, places[n]!);
      ids.push(isUuid ? texts.slice(from, from + UUID_LENGTH) : shortText(words, places[n]!));
    }
  }
}

function shortText(words: Int32Array, at: number): string {
  const codes = textBytes.slice(0, byteAt(words, at, formByte) - textForm);
  return String.fromCharCode(...codes.map((byte) => byteAt(words, at, byte)));
}

function writeUuidText(words: Int32Array, at: number, to: number): void {
  writeDigits(words[at]!, to, 2, 4, 6);
  writeDigits(words[at + 1]!, to + 9, 2, 5, 7);
  writeDigits(words[at + 2]!, to + 19, 2, 5, 7);
  writeDigits(words[at + 3]!, to + 28, 2, 4, 6);
}

/** Writes the digits of a word's bytes: the first's at a place, the others' so many characters behind it. */
function writeDigits(word: number, at: number, second: number, third: number, fourth: number): void {
  uuidView.setUint16(at, digitsOf[word & 0xff]!);
  uuidView.setUint16(at + second, digitsOf[(word >>> 8) & 0xff]!);
  uuidView.setUint16(at + third, digitsOf[(word >>> 16) & 0xff]!);
  uuidView.setUint16(at + fourth, digitsOf[word >>> 24]!);
}
