import type { IncomingMessage } from 'node:http';
import { CodedError } from '../errors';

/** A body that is not in by then is given up, in milliseconds: its sender holds room that others could use. */
const WITHIN_MS = 10_000;

/** Reads bodies whose bytes are bounded each and in sum. */
export class BodyReader {
  private reserved = 0;

  /** @param budgetBytes of all bodies that are being read, or are not let go of yet */
  constructor(private readonly budgetBytes: number) {}

  /** Bytes that are set aside now. */
  get reservedBytes(): number {
    return this.reserved;
  }

  /**
   * Hands a body of at most `limitBytes` to `use`, and sets its bytes aside until that is over.
   * @throws CodedError `body_too_large`, and `too_much_at_once` where others' bodies leave no room, both before a byte of
   * it is read where it says how long it is; `malformed_json` where it ends early or takes too long
   */
  async read<T>(req: IncomingMessage, limitBytes: number, use: (body: Buffer) => Promise<T> | T): Promise<T> {
    const declared = req.headers['content-length'];
    const bytes = declared === undefined ? limitBytes : Number(declared);
    if (bytes > limitBytes) throw tooLarge(limitBytes);
    if (this.reserved + bytes > this.budgetBytes)
      throw new CodedError('too_much_at_once', 'Too many bodies are being read.');
    this.reserved += bytes;
    try {
      return await use(await collect(req, limitBytes));
    } finally {
      this.reserved -= bytes;
    }
  }
}

const tooLarge = (limitBytes: number): CodedError =>
  new CodedError('body_too_large', `at most ${limitBytes} bytes`);

function collect(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (outcome: () => void): void => {
      clearTimeout(timer);
      req.off('data', take).off('end', whole).off('close', cut).off('error', cut);
      outcome();
    };
    // What still comes of it is dropped as it comes.
    const refuse = (error: CodedError): void =>
      end(() => {
        req.on('error', () => {}).resume();
        reject(error);
      });
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) refuse(tooLarge(limitBytes));
      else chunks.push(chunk);
    };
    const whole = (): void => end(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const cut = (): void => refuse(new CodedError('malformed_json', 'the body ended early'));
    const timer = setTimeout(
      () => refuse(new CodedError('malformed_json', `the body was not in within ${WITHIN_MS} ms`)),
      WITHIN_MS,
    );
    req.on('data', take).on('end', whole).on('close', cut).on('error', cut);
  });
}
