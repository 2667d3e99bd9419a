import { asText, seedsFrom, tellStories } from '../../tools/faults/stories/tell';
import { testBundle } from '../support/bundles';
import { createDatabase, temporalAddress } from '../support/servers';

const COUNT = 36;
jest.setTimeout(180_000);

test('whatever riders, operators, webhooks and the provider do at once, the books are the provider’s', async () => {
  const seed = Number(process.env['STORY_SEED'] ?? Date.now() % 1_000_000);
  process.stdout.write(`paymentStories: seed ${seed} (STORY_SEED=${seed} repeats it)\n`);
  const ground = {
    temporalAddress: temporalAddress(),
    workflowBundle: testBundle(),
    databaseUrl: await createDatabase('payments'),
  };
  const found = await tellStories(ground, seedsFrom(seed, COUNT), { atOnce: 18 });
  expect(found).toHaveLength(COUNT);
  const harmed = found.filter(({ wrong }) => wrong.length > 0);
  expect(harmed.map(asText).join('\n')).toBe('');
});
