import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeFile,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const writeAll = promisify(writeFile);
const syncData = promisify(fdatasync);
const newline = 0x0a;
const chunkBytes = 1 << 20;

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An append-only file of JSON lines. `append` resolves once the record is on the disk; records that arrive
 * while another group is being synced share the next sync (group commit).
 */
export class Journal {
  private queue: Waiting[] = [];
  private writing: Promise<void> | null = null;
  private last: Promise<void> = Promise.resolve();
  private failure: Error | null = null;

  private constructor(
    private readonly fd: number,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /**
   * Opens or creates the file and hands every record to `replay`, in order. A last line without its end, left
   * by a kill in mid-write, was never acknowledged and is cut off.
   * @throws Error naming the file and line of a record that is whole and cannot be read.
   */
  static open(path: string, replay: (record: unknown) => void, onFailure: (error: Error) => void): Journal {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(path, 'a+', 0o600);
    try {
      ftruncateSync(fd, readLines(fd, path, replay));
      fsyncSync(fd);
      syncDirectory(dirname(path));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new Journal(fd, onFailure);
  }

  /** After a failed write every append is refused: what is on the disk is only known by opening it again. */
  append(record: unknown): Promise<void> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const line = `${JSON.stringify(record)}\n`;
    const done = new Promise<void>((resolve, reject) => this.queue.push({ line, resolve, reject }));
    // `settled` is not always awaited; the appender has the promise itself.
    done.catch(() => {});
    this.last = done;
    this.writing ??= this.write();
    return done;
  }

  /** Resolves when everything appended before is on the disk; rejects when it could not be written. */
  settled(): Promise<void> {
    return this.last;
  }

  get failed(): boolean {
    return this.failure !== null;
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    while (this.writing !== null) await this.writing;
    this.failure ??= new Error('the journal is closed');
    closeSync(this.fd);
  }

  private async write(): Promise<void> {
    while (this.queue.length > 0) {
      const group = this.queue;
      this.queue = [];
      try {
        await writeAll(this.fd, group.map((waiting) => waiting.line).join(''));
        await syncData(this.fd);
      } catch (cause) {
        this.failure = new Error('the journal could not be written', { cause });
        for (const waiting of [...group, ...this.queue]) waiting.reject(this.failure);
        this.queue = [];
        this.onFailure(this.failure);
        break;
      }
      for (const waiting of group) waiting.resolve();
    }
    this.writing = null;
  }
}

/** Reads whole lines from the start; returns where the last whole line ends, in bytes. */
function readLines(fd: number, path: string, replay: (record: unknown) => void): number {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let pieces: Buffer[] = [];
  let offset = 0;
  let end = 0;
  let lineNumber = 0;
  for (;;) {
    const bytes = readSync(fd, chunk, 0, chunkBytes, offset);
    if (bytes === 0) return end;
    let start = 0;
    for (let at = chunk.indexOf(newline); at !== -1 && at < bytes; at = chunk.indexOf(newline, start)) {
      pieces.push(chunk.subarray(start, at));
      lineNumber += 1;
      try {
        replay(JSON.parse(Buffer.concat(pieces).toString('utf8')));
      } catch (cause) {
        throw new Error(`${path} line ${lineNumber} is not a record of this journal`, { cause });
      }
      pieces = [];
      start = at + 1;
      end = offset + start;
    }
    pieces.push(Buffer.from(chunk.subarray(start, bytes)));
    offset += bytes;
  }
}

/** A new file's name is durable only once its directory is. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
