import type { z } from 'zod';
import type { Operation } from '../../contracts/api/operation';
import { operations } from '../../contracts/api/operations';
import { rideRequestBody } from '../../contracts/api/rides';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { freeText } from '../../contracts/shared';
import { hasCardNumber } from '../../domain/cardNumber';
import { requireShape } from '../../workflows/updateArguments';

/** Numbers for tests as card schemes publish them. */
const numbers = {
  visa: '4242424242424242',
  'visa of 13 digits': '4222222222222',
  amex: '378282246310005',
  'unionpay of 19 digits': '6205500000000000004',
};

describe.each(Object.entries(numbers))('the number of %s', (_scheme, number) => {
  const inFours = number.replace(/(\d{4})(?=\d)/g, '$1 ');
  test.each([
    ['alone', number],
    ['in a sentence', `the rider said ${number}, twice`],
    ['with spaces', `card ${inFours}!`],
    ['with dashes', inFours.replace(/ /g, '-')],
    ['with dots', inFours.replace(/ /g, '.')],
    ['with slashes and underscores', inFours.replace(' ', ' / ').replace(/ (?=\d{4} )/, '_')],
    ['with a space after each digit', number.split('').join(' ')],
    ['with other spaces and dashes', inFours.replace(/ /g, '\u00a0\u2013')],
    ['behind another number', `2026 ${inFours}`],
    ['before another number', `${number} 12`],
    ['in full-width digits', number.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)))],
    ['with what is not seen in between', number.split('').join('\u200b')],
    ['with other signs that are not seen', number.replace(/(\d{4})/g, '$1\u2061\ufe0f\u061c')],
    [
      'with commas, dots in the middle and signs',
      inFours.replace(' ', ', ').replace(' ', ' · ').replace(' ', '+'),
    ],
    ['in Arabic digits', number.replace(/\d/g, (d) => String.fromCodePoint(0x0660 + Number(d)))],
  ])('is found %s', (_how, text) => {
    expect(hasCardNumber(text)).toBe(true);
  });
});

test.each([
  ['no digits at all', 'the driver was late'],
  ['a number that fails the check', '4242424242424241'],
  ['12 digits', '424242424242'],
  ['20 digits in one piece', '42424242424242424242'],
  ['a telephone number', '+1 212-555-0100'],
  ['a time in milliseconds', '1763761234567'],
  ['a ride', '01890a5d-ac96-774b-bcce-b302099a8057'],
  ['digits parted by words', '4242 4242 or 4242 4242'],
])('%s is no card number', (_what, text) => {
  expect(hasCardNumber(text)).toBe(false);
});

test('free text refuses it, and does not repeat it', () => {
  const { error } = freeText(200).safeParse(`charge ${numbers.visa} instead`);
  expect(error?.issues).toHaveLength(1);
  expect(JSON.stringify(error?.issues)).not.toContain('4242');
  expect(freeText(200).parse('  too slow ')).toBe('too slow');
});

test('a card number is no token of a card, in whatever disguise', () => {
  const asked = (token: string) =>
    rideRequestBody.safeParse({ quoteToken: 'q', paymentMethod: { type: 'card', token } }).success;
  expect([numbers.visa, `pm_${numbers.visa}`, '4242 4242 4242 4242'].map(asked)).toEqual([
    false,
    false,
    false,
  ]);
  expect(asked('pm_1NvXk2LkdIwHu7ixyz0123AB')).toBe(true);
});

test('an Update that is typed by hand is held to it, too; ids are no text', () => {
  const said = (reason: string, changeId = 'one') =>
    requireShape('adjustCharge', { reason: 'text', changeId: 'id' }, { reason, changeId });
  expect(() => said(`charge ${numbers.visa}`)).toThrow('The Update adjustCharge takes: reason (text).');
  expect(() => said('a detour', '42424242-4242-4242-8000-000000000000')).not.toThrow();
});

/** Signed by ourselves, and looked into before anything is kept. */
const tokensOfOurs = ['quoteToken', 'previewToken'];

/** Texts of a request body that say neither a form, nor a set of words, nor that they are free text. */
function unboundTexts(schema: JsonSchema, path = ''): string[] {
  const {
    type,
    properties = {},
    items,
    anyOf = [],
    oneOf = [],
    description = '',
  } = schema as {
    type?: string;
    properties?: Record<string, JsonSchema>;
    items?: JsonSchema;
    anyOf?: JsonSchema[];
    oneOf?: JsonSchema[];
    description?: string;
  };
  const isBound = ['pattern', 'format', 'enum', 'const'].some((word) => word in schema);
  return [
    ...(type === 'string' && !isBound && !description.startsWith('free text') ? [path] : []),
    ...Object.entries(properties)
      .filter(([name]) => !tokensOfOurs.includes(name))
      .flatMap(([name, property]) => unboundTexts(property, `${path}/${name}`)),
    ...[...anyOf, ...oneOf, ...(items ? [items] : [])].flatMap((each) => unboundTexts(each, path)),
  ];
}

test.each(
  Object.entries<Operation>(operations)
    // What the provider says is not typed by people, and not kept.
    .filter(([id, { request }]) => request.body !== undefined && id !== 'providerEvent'),
)('every text in the body of %s has a form, or is free text', (_id, { request }) => {
  expect(unboundTexts(jsonSchema(request.body as z.ZodType))).toEqual([]);
});
