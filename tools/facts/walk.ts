import { UsageError } from '../commandLine';
import { factToEvolve, type Evolution } from './evolve';
import { fieldAsked, kindNames } from './kinds';
import { typeForNew, type NewFact } from './newFact';

/** Asks one question and gives the answer, without spaces around it. */
export type Ask = (question: string) => Promise<string>;
export type Tell = (line: string) => void;

/** Asks again until `take` takes the answer. */
async function asked<T>(
  ask: Ask,
  tell: Tell,
  question: string,
  take: (answer: string) => T | Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await take(await ask(question));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      tell(error.message);
    }
  }
}

const nonEmpty = (answer: string): string => {
  if (answer === '') throw new UsageError('a sentence, please');
  return answer;
};

/** Asks for what is not said yet of a new fact. */
export async function walkNew(root: string, said: NewFact, ask: Ask, tell: Tell): Promise<NewFact> {
  const checked = async (type: string): Promise<string> => {
    await typeForNew(root, type);
    return type;
  };
  const type = said.type || (await asked(ask, tell, 'What is it called (ride.waiting_started)? ', checked));
  const says = said.says || (await asked(ask, tell, 'What has happened, in a sentence? ', nonEmpty));
  if (said.fields.length > 0) return { type, says, fields: said.fields };
  tell(`Its fields, one a line, an empty line at the end: name:KIND or name?:KIND; KIND is ${kindNames}.`);
  const fields: string[] = [];
  for (;;) {
    const field = await asked(ask, tell, 'field: ', readField);
    if (field === '') return { type, says, fields };
    fields.push(field);
  }
}

/** Asks for what is not said yet of a change. */
export async function walkEvolution(root: string, said: Evolution, ask: Ask, tell: Tell): Promise<Evolution> {
  const checked = async (type: string): Promise<string> => {
    await factToEvolve(root, type);
    return type;
  };
  const type = said.type || (await asked(ask, tell, 'Which fact? ', checked));
  const changes = { add: [...said.add], remove: [...said.remove], change: [...said.change] };
  if (said.add.length + said.remove.length + said.change.length === 0) {
    const { schema, version } = (await factToEvolve(root, type)).entry;
    const fields = 'shape' in schema ? Object.keys(schema.shape as object).join(', ') : '';
    tell(`Version ${version} has ${fields}.`);
    tell('What changes, one a line, an empty line at the end:');
    tell('  + name?:KIND, + name:KIND=VALUE (what facts of before have), - name, ~ name:KIND=VALUE');
    tell(`  KIND is ${kindNames}; VALUE is TypeScript, in which \`data\` is that of before.`);
    for (;;) {
      const [how, what] = await asked(ask, tell, 'change: ', readChange);
      if (how === undefined) break;
      changes[how].push(what);
    }
  }
  const changed =
    said.changed || (await ask('What does it change, in a sentence (empty: only optional fields come)? '));
  return { type, changed, ...changes };
}

function readField(line: string): string {
  if (line !== '') fieldAsked(line);
  return line;
}

function readChange(line: string): ['add' | 'remove' | 'change', string] | [undefined] {
  if (line === '') return [undefined];
  const [, sign, what] = /^([-+~])\s*(.+)$/s.exec(line) ?? [];
  if (what === undefined) throw new UsageError('a line begins with +, - or ~');
  if (sign !== '-') fieldAsked(what);
  return [sign === '+' ? 'add' : sign === '-' ? 'remove' : 'change', what];
}
