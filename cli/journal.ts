/**
 * What was finished of a recording, on the disk window by window, so that a run that was killed can be gone on with.
 *
 * A line of JSON for each window behind a first line that says what they belong to. A line is flushed to the disk before
 * its segments are shown; one that was cut off by the end of the process counts as not written. A last line says which
 * outputs were made of the windows: with several recordings, those that are finished wait for the others.
 *
 * @module
 */

import type { WindowRecord } from "../decoder/mod.ts";
import { outputError } from "./output_files.ts";

/** Plain data that must be equal for windows to be gone on with: the recording, the model, the options. */
export type JournalIdentity = Readonly<Record<string, unknown>>;

/** What was written when all windows were there. */
export interface Completion {
  /** Plain data that tells these outputs from those of other options, and from files that were changed since. */
  readonly outputs: unknown;
}

/** Changes with the meaning of what is written. */
const VERSION = 2;

/** Windows that are finished, in a file that grows. Closing it keeps the file. */
export class Journal implements Disposable {
  /** Windows that an earlier run finished, in order. */
  readonly finished: readonly WindowRecord[];
  /** What an earlier run wrote when it had all of them; null if it did not come so far. */
  readonly completion: Completion | null;
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile, { finished, completion }: Omit<Lines, "length">) {
    this.#path = path;
    this.#file = file;
    this.finished = finished;
    this.completion = completion;
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
      const lines = isForeign || !text.startsWith(header)
        ? { finished: [], completion: null, length: 0 }
        : wholeLines(text, header.length);
      const file = await Deno.open(path, { write: true, create: true });
      const encoder = new TextEncoder();
      const kept = encoder.encode(text.slice(0, lines.length)).length;
      await file.truncate(kept);
      await file.seek(kept, Deno.SeekMode.Start);
      const journal = new Journal(path, file, lines);
      if (kept === 0) await journal.#write(header);
      return { journal, isForeign };
    } catch (error) {
      throw outputError(path, error);
    }
  }

  /** Adds a window, and returns when it is on the disk. */
  async add(record: WindowRecord): Promise<void> {
    await this.#addLine(record);
  }

  /** Adds that the outputs are written. */
  async complete(completion: Completion): Promise<void> {
    await this.#addLine(completion);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #addLine(data: WindowRecord | Completion): Promise<void> {
    try {
      await this.#write(`${JSON.stringify(data, spellNonFinite)}\n`);
    } catch (error) {
      throw outputError(this.#path, error);
    }
  }

  async #write(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line);
    for (let written = 0; written < bytes.length;) {
      written += await this.#file.write(bytes.subarray(written));
    }
    await this.#file.sync();
  }
}

/** What is in the lines that are whole, and how many characters of the text they take. */
interface Lines {
  readonly finished: readonly WindowRecord[];
  readonly completion: Completion | null;
  readonly length: number;
}

function wholeLines(text: string, from: number): Lines {
  const finished: WindowRecord[] = [];
  let completion: Completion | null = null;
  let length = from;
  for (let end = text.indexOf("\n", length); end >= 0; end = text.indexOf("\n", length)) {
    try {
      const line: WindowRecord | Completion = JSON.parse(text.slice(length, end), readNonFinite);
      if ("outputs" in line) completion = line;
      else finished.push(line);
    } catch {
      break; // a block of zeros, as a file system may leave behind after a power cut
    }
    length = end + 1;
  }
  return { finished, completion, length };
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
