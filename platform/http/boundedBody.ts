import type { IncomingMessage } from 'node:http';
import { CodedError } from '../errors';

/** A body that is not in by then is given up, in milliseconds: its sender holds room that others could use. */
const WITHIN_MS = 10_000;

/** Reads bodies whose bytes are bounded each and in sum. */
export class BodyReader {
  private held = 0;

  /** @param budgetBytes of all bodies that are being read, or are not let go of yet: what has come of them */
  constructor(private readonly budgetBytes: number) {}

  /**
   * Hands a body of at most `limitBytes` to `use`, and counts its bytes until that is over: each as it comes, for one that
   * is only promised takes no room from others.
   * @throws CodedError `body_too_large`, and `too_much_at_once` where others' bodies leave no room, both before a byte of
   * it is read where it says how long it is; `body_incomplete` where it ends early or takes too long
   */
  async read<T>(req: IncomingMessage, limitBytes: number, use: (body: Buffer) => Promise<T> | T): Promise<T> {
    const declared = req.headers['content-length'];
    const declaredBytes = declared === undefined ? 0 : Number(declared);
    if (declaredBytes > limitBytes) throw tooLarge(limitBytes);
    if (this.held + declaredBytes > this.budgetBytes) throw tooMuch();
    let bytes = 0;
    const count = (more: number): CodedError | null => {
      if (bytes + more > limitBytes) return tooLarge(limitBytes);
      if (this.held + more > this.budgetBytes) return tooMuch();
      bytes += more;
      this.held += more;
      return null;
    };
    try {
      return await use(await collect(req, count));
    } finally {
      this.held -= bytes;
    }
  }
}

const tooMuch = (): CodedError => new CodedError('too_much_at_once', 'Too many bodies are being read.');

const tooLarge = (limitBytes: number): CodedError =>
  new CodedError('body_too_large', `at most ${limitBytes} bytes`);

/** @param count is told how many bytes have come, and says why they are too many */
function collect(req: IncomingMessage, count: (bytes: number) => CodedError | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let isOver = false;
    const end = (): void => {
      isOver = true;
      clearTimeout(timer);
    };
    // What still comes of it is dropped as it comes.
    const refuse = (error: CodedError): void => {
      end();
      req.resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      if (isOver) return;
      const tooMany = count(chunk.length);
      if (tooMany === null) chunks.push(chunk);
      else refuse(tooMany);
    };
    const whole = (): void => {
      if (isOver) return;
      end();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    };
    // Every request is closed in the end.
    const cut = (): void => {
      if (!isOver) refuse(new CodedError('body_incomplete', 'the body ended early'));
    };
    const timer = setTimeout(
      () => refuse(new CodedError('body_incomplete', `the body was not in within ${WITHIN_MS} ms`)),
      WITHIN_MS,
    );
    req.on('data', take).on('end', whole).on('close', cut).on('error', cut);
  });
}
