import { Router } from 'express';
import { CodedError } from '../errors';
import { problemType, type ProblemTable } from './problems';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c] ?? c);

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title><body>${body}</body></html>`;

/** Serves what each problem's `type` points at: `/problems/<code>` and the list `/problems`, as HTML or JSON. */
export function problemPages(table: ProblemTable): Router {
  const router = Router();
  router.get('/problems', (req, res) => {
    const codes = Object.keys(table).sort();
    if (req.accepts(['html', 'json']) === 'json') {
      res.json(Object.fromEntries(codes.map((code) => [code, table[code]])));
      return;
    }
    const items = codes.map((code) => {
      const kind = table[code];
      return `<li><a href="${escape(problemType(code))}">${escape(code)}</a>: ${kind?.status} ${escape(kind?.title ?? '')}</li>`;
    });
    res.type('html').send(page('Problems', `<h1>Problems</h1><ul>${items.join('')}</ul>`));
  });
  router.get('/problems/:code', (req, res) => {
    const { code } = req.params;
    const kind = Object.hasOwn(table, code) ? table[code] : undefined;
    if (kind === undefined) throw new CodedError('not_found', 'there is no such problem');
    if (req.accepts(['html', 'json']) === 'json') {
      res.json({ type: problemType(code), ...kind });
      return;
    }
    const text = `<h1>${escape(kind.title)}</h1><p><code>${escape(code)}</code>, status ${kind.status}</p><p>${escape(kind.description)}</p>`;
    res.type('html').send(page(kind.title, text));
  });
  return router;
}
