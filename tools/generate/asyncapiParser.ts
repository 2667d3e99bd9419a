import type { JsonSchema } from '../../contracts/jsonSchema';

/** What AsyncAPI's own parser finds wrong with a document, a line each with its place in it. */
export async function asyncApiProblems(document: JsonSchema): Promise<string[]> {
  // Loaded here: it is large, and only the check needs it.
  const { Parser } = await import('@asyncapi/parser');
  const diagnostics = await new Parser().validate(JSON.stringify(document));
  return diagnostics
    .filter(({ severity }) => Number(severity) <= WARNING)
    .map(({ path, message }) => `docs/asyncapi.json, ${path.join('/') || 'the document'}: ${message}`);
}

/** Its severities: 0 error, 1 warning, 2 information, 3 hint. */
const WARNING = 1;
