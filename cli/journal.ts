/**
 * What was finished of a recording, on the disk window by window, so that a run that was killed can be gone on with.
 *
 * A line of JSON for each window behind a first line that says what they belong to. A line is flushed to the disk before
 * its segments are shown; one that was cut off by the end of the process counts as not written.
 *
 * @module
 */

import type { WindowRecord } from "../decoder/mod.ts";
import { outputError } from "./output_files.ts";

/** Plain data that must be equal for windows to be gone on with: the recording, the model, the options. */
export type JournalIdentity = Readonly<Record<string, unknown>>;

/** Changes with the meaning of what is written. */
const VERSION = 1;

/** Windows that are finished, in a file that grows. Closing it keeps the file. */
export class Journal implements Disposable {
  /** Windows that an earlier run finished, in order. */
  readonly finished: readonly WindowRecord[];
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile, finished: readonly WindowRecord[]) {
    this.#path = path;
    this.#file = file;
    this.finished = finished;
  }

  /**
   * Begins a journal, or goes on with the one that is there.
   *
   * @param resume Whether to take what is there; else it is overwritten.
   * @returns null in place of the journal's windows if they belong to something else.
   * @throws {SottoError} E_OUTPUT, E_DISK_FULL, E_PERMISSION.
   */
  static async open(
    path: string,
    identity: JournalIdentity,
    { resume }: { readonly resume: boolean },
  ): Promise<{ readonly journal: Journal; readonly isForeign: boolean }> {
    const header = `${JSON.stringify({ version: VERSION, ...identity })}\n`;
    try {
      const text = resume ? await Deno.readTextFile(path).catch(ifMissing) : "";
      const isForeign = text.includes("\n") && !text.startsWith(header);
      const { finished, length } = isForeign || !text.startsWith(header)
        ? { finished: [], length: 0 }
        : wholeLines(text, header.length);
      const file = await Deno.open(path, { write: true, create: true });
      const encoder = new TextEncoder();
      const kept = encoder.encode(text.slice(0, length)).length;
      await file.truncate(kept);
      await file.seek(kept, Deno.SeekMode.Start);
      const journal = new Journal(path, file, finished);
      if (kept === 0) await journal.#write(header);
      return { journal, isForeign };
    } catch (error) {
      throw outputError(path, error);
    }
  }

  /** Adds a window, and returns when it is on the disk. */
  async add(record: WindowRecord): Promise<void> {
    try {
      await this.#write(`${JSON.stringify(record, spellNonFinite)}\n`);
    } catch (error) {
      throw outputError(this.#path, error);
    }
  }

  /** Removes the file: all is done. */
  async remove(): Promise<void> {
    await Deno.remove(this.#path).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #write(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line);
    for (let written = 0; written < bytes.length;) {
      written += await this.#file.write(bytes.subarray(written));
    }
    await this.#file.sync();
  }
}

/** The windows of the lines that are whole, and how many characters of the text they take. */
function wholeLines(text: string, from: number): { finished: WindowRecord[]; length: number } {
  const finished: WindowRecord[] = [];
  let length = from;
  for (let end = text.indexOf("\n", length); end >= 0; end = text.indexOf("\n", length)) {
    try {
      finished.push(JSON.parse(text.slice(length, end), readNonFinite));
    } catch {
      break; // a block of zeros, as a file system may leave behind after a power cut
    }
    length = end + 1;
  }
  return { finished, length };
}

const NON_FINITE: readonly number[] = [NaN, Infinity, -Infinity];
/** Probabilities that may be none: JSON has no such numbers. */
const NUMBERS: readonly string[] = ["noSpeechProb", "avgLogprob", "compressionRatio", "probability"];

function spellNonFinite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function readNonFinite(key: string, value: unknown): unknown {
  const isNumber = typeof value === "string" && NUMBERS.includes(key);
  return isNumber ? NON_FINITE.find((number) => String(number) === value) ?? value : value;
}

function ifMissing(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "";
  throw error;
}
