/** In the place of what people type in a good argument. */
export const freeText = 'a detour';
const cardNumber = '4242 4242 4242 4242';

/** The Updates that take nothing have null. */
export type GoodArguments<Updates> = Readonly<Record<keyof Updates, object | null>>;

/**
 * What no Update takes in the place of a good argument whose every field it needs: nothing, another thing, without each
 * of its fields, with another thing in it, with what no database takes, or with a card's number in each of its texts.
 */
export function badArguments(good: object): readonly [how: string, argument: unknown][] {
  const fields = Object.entries(good);
  return [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'five'],
    ['a list', []],
    ['without fields', {}],
    ...fields.flatMap(([field, value]): [string, unknown][] => [
      [`without ${field}`, { ...good, [field]: undefined }],
      [`with another ${field}`, { ...good, [field]: typeof value === 'object' ? 'five' : { five: 5 } }],
      [`with an empty ${field}`, { ...good, [field]: '' }],
      ...(typeof value === 'string'
        ? ['\0', '\ud800'].map((rubbish): [string, unknown] => [
            `with ${JSON.stringify(rubbish)} in ${field}`,
            { ...good, [field]: value + rubbish },
          ])
        : []),
      ...(value === freeText
        ? ([[`with a card number in ${field}`, { ...good, [field]: cardNumber }]] satisfies [
            string,
            unknown,
          ][])
        : []),
    ]),
  ];
}
