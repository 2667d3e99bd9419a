import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { paymentWorkflowId, rideWorkflowId, searchAttributes } from '../../domain/names';
import { stuckLines } from '../../tools/cli/rides';
import { apiStory, operator } from '../support/apiStory';
import { browserForFile } from '../support/browser';
import { eventually } from '../support/rideSaga';

jest.setTimeout(90_000);

// A look at the stuck every second; a second of a quoted duration is a thousandth of one, so that rides are late soon.
const story = apiStory({ policies: { stuckCheckMs: 1_000, quotedSecondMs: 1 } });
const browser = browserForFile();

const uiUrl = (): string => {
  const url = process.env['HAILWAY_TEMPORAL_UI_URL'];
  if (!url)
    throw new Error('HAILWAY_TEMPORAL_UI_URL is not set: the web UI of the server at TEMPORAL_ADDRESS');
  return url;
};

/** The link of a saved query as docs/operating.md has it, in this UI and namespace. */
function savedQuery(name: string): string {
  const docs = readFileSync(join(__dirname, '../../docs/operating.md'), 'utf8');
  const number = new RegExp(`\\[${name}\\]\\[(\\d+)\\]`).exec(docs)?.[1];
  const link = new RegExp(`^\\[${number}\\]: (\\S+)$`, 'm').exec(docs)?.[1];
  if (!link) throw new Error(`docs/operating.md has no saved query "${name}"`);
  const { pathname, search } = new URL(link);
  const { namespace } = story.api.temporal.options;
  return new URL(pathname.replace('/default/', `/${namespace}/`) + search, uiUrl()).href;
}

const untilListed = (workflowId: string): Promise<true> =>
  eventually(async () => {
    const query = `${searchAttributes.stuck.name} = true and WorkflowId = '${workflowId}'`;
    const { count } = await story.api.temporal.workflow.count(query);
    return count > 0 || undefined;
  });

/** A page with nothing but a link, as a bookmark or a document has it. */
async function pageWithLink(link: string): Promise<{ page: Page; click: (name: string) => Promise<void> }> {
  const page = await browser.page();
  await page.setContent(`<a href="${link}">the link</a>`);
  const named = (name: string) => page.getByRole('link', { name }).or(page.getByRole('tab', { name }));
  return { page, click: (name) => named(name).first().click() };
}

/** The lines of the card on the page, once it is there; what is to be done is in sight without scrolling. */
async function cardOn(page: Page): Promise<string[]> {
  const frame = page.locator('iframe[src*="waits%20for"]');
  const card = frame.contentFrame().locator('main');
  const next = card.getByText('next action');
  await next.waitFor();
  const bottomOf = async (part: Locator): Promise<number> => {
    const box = (await part.boundingBox())!;
    return box.y + box.height;
  };
  await eventually(async () => (await bottomOf(next)) <= (await bottomOf(frame)) || undefined);
  expect(await bottomOf(frame)).toBeLessThan(page.viewportSize()!.height);
  return [await card.locator('p').first().innerText(), ...(await card.locator('li').allInnerTexts())];
}

test('the list, the ride, its card: three clicks from the saved query to why a ride is stuck', async () => {
  const driver = await story.onlineDriver('clicks-1');
  const rideId = await story.assignedRide(driver);
  await untilListed(rideWorkflowId(rideId));
  const { page, click } = await pageWithLink(savedQuery('what is stuck'));
  await click('the link');
  await click(rideWorkflowId(rideId));
  await click('User Metadata');
  expect(await cardOn(page)).toEqual([
    expect.stringMatching(/^assigned \(version 3\), since 20/),
    'waits for: the driver to arrive at the pickup',
    'last failure: none',
    'next action: call the driver; override the arrival, or reassign',
    expect.stringContaining('driver: clicks-1; quote: '),
  ]);
});

test('two from what `hailway rides stuck` prints: a payment whose provider is down says so', async () => {
  const { provider, token, temporal, url } = story.api;
  const held = provider.late<'authorize', { charged: true; intentId: string }>('authorize');
  const rideId = await story.newRide({ type: 'card', token: 'pm_card_visa' });
  const payment = paymentWorkflowId(rideId);
  await untilListed(payment);
  const sources = { apiUrl: url, token: await token(...operator), temporal, temporalUiUrl: uiUrl() };
  const told = (await stuckLines(sources)).find((text) => text.startsWith(payment));
  expect(told).toContain('Hold USD');
  expect(told).toContain('connect ECONNREFUSED');
  const { page, click } = await pageWithLink(told!.split('\n').at(-1)!.trim());
  await click('the link');
  await click('User Metadata');
  expect(await cardOn(page)).toEqual([
    expect.stringMatching(/^authorizing \(version 1\), since 20/),
    expect.stringMatching(/^waits for: the payment provider: Hold USD \d+\.\d\d$/),
    expect.stringMatching(/^last failure: 20\S+, Hold USD \d+\.\d\d: connect ECONNREFUSED$/),
    'next action: see whether the provider is down; it is asked again until it answers',
    expect.stringMatching(/^card: USD \d+\.\d\d; at the provider: none$/),
  ]);
  held.release({ charged: true, intentId: 'pi_late' });
});
