import { TopicsRefused } from '../../platform/kafka';
import { kafkaDrift, prepareKafka } from '../stack/topics';
import { dataDirOf } from './addresses';
import { optionsOf } from './arguments';
import { kafkaPreparation } from './kafka';

/**
 * `npx hailway topics`: how far Kafka's topics and rights are from what is declared, a line each.
 * @returns 1 when something is left that is not as declared
 */
export async function topics(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = optionsOf(argv, ['data-dir'], ['apply']);
  const preparation = await kafkaPreparation(env, dataDirOf(options, env));
  const print = (mark: string, lines: readonly string[]): void =>
    lines.forEach((line) => process.stdout.write(`${mark} ${line}\n`));
  if (options.apply) {
    try {
      print('done', (await prepareKafka(preparation)).done);
    } catch (error) {
      if (!(error instanceof TopicsRefused)) throw error;
    }
  }
  const { toDo, refusals, notes } = await kafkaDrift(preparation);
  print('todo', toDo);
  print('BAD ', refusals);
  print('note', notes);
  const isAsDeclared = toDo.length + refusals.length === 0;
  if (isAsDeclared) process.stdout.write('Topics and rights are as declared.\n');
  return isAsDeclared ? 0 : 1;
}
