/** Characters that are not seen, and would part digits without parting them for a reader. */
const invisible = /[\p{Cf}\p{Mn}]/gu;

/** A digit of any script, as one of ours: a script's ten are in a row. */
function asciiDigit(digit: string): string {
  let value = 0;
  for (let code = digit.codePointAt(0)! - 1; /\p{Nd}/u.test(String.fromCodePoint(code)); code -= 1)
    value += 1;
  return String(value % 10);
}

/**
 * Whether a card's number is in a text: 13 to 19 digits that pass Luhn's check (ISO/IEC 7812-1, annex B), in one piece
 * or parted by spaces and the signs that people put between groups, whatever stands before and behind them.
 */
export function hasCardNumber(text: string): boolean {
  const plain = text
    .normalize('NFKC')
    .replace(invisible, '')
    .replace(/[^\P{Nd}0-9]/gu, asciiDigit);
  for (const [run] of plain.matchAll(/\d+(?:[\s\p{Pd}./_,·+|*()]+\d+)*/gu)) {
    if (isIn(run.split(/\D+/))) return true;
  }
  return false;
}

/** A number begins and ends with a group: a date before it does not hide it. */
function isIn(groups: readonly string[]): boolean {
  for (let from = 0; from < groups.length; from += 1) {
    let digits = '';
    for (let to = from; to < groups.length && digits.length < 19; to += 1) {
      digits += groups[to];
      if (digits.length >= 13 && digits.length <= 19 && passesLuhn(digits)) return true;
    }
  }
  return false;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const counted = i % 2 === 0 ? digit : digit * 2;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
