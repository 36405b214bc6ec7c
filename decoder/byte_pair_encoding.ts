/**
 * Byte pair encoding: text to the ids of byte sequences and back.
 *
 * Byte sequences are kept as strings of code units 0…255 ("binary strings"): they hash and slice fast.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/**
 * Cuts text into the pieces that are encoded on their own: contractions, words, numbers and punctuation each
 * with at most one space before them, and runs of white space, which leave their last space to a word that
 * follows (GPT-2's pattern, with the White_Space of Unicode for `\s`).
 */
const PIECES =
  /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Bytes as a binary string. */
export function binaryString(bytes: Uint8Array): string {
  const PART = 8192; // arguments that one call takes without harm to the stack
  let text = "";
  for (let i = 0; i < bytes.length; i += PART) text += String.fromCharCode(...bytes.subarray(i, i + PART));
  return text;
}

/** A mergeable span of a piece, waiting in the queue. */
interface Candidate {
  readonly rank: number;
  readonly start: number;
  readonly end: number;
}

/** Encodes and decodes with one table of byte sequences. */
export class BytePairEncoding {
  readonly #ids = new Map<string, number>();
  readonly #bytes: readonly (Uint8Array | undefined)[];
  readonly #ranks: ReadonlyMap<string, number> | null;

  /**
   * Indexes the table.
   *
   * @param tokens The bytes of each regular token by id; undefined where an id is not a regular token.
   * @param ranks Order of merging by the merged bytes as a binary string; null where ids are in that order
   * already, as in OpenAI's vocabularies.
   * @throws {SottoError} E_TOKENIZER if one of the 256 bytes has no token, so that some text has no encoding.
   */
  constructor(tokens: readonly (Uint8Array | undefined)[], ranks: ReadonlyMap<string, number> | null = null) {
    this.#bytes = tokens;
    this.#ranks = ranks;
    tokens.forEach((bytes, id) => {
      if (!bytes) return;
      const text = binaryString(bytes);
      if (!this.#ids.has(text)) this.#ids.set(text, id);
    });
    for (let byte = 0; byte < 256; byte++) {
      if (!this.#ids.has(String.fromCharCode(byte))) {
        throw new SottoError(
          "E_TOKENIZER",
          `Cannot use this vocabulary: every byte needs a token, none for 0x${byte.toString(16)}`,
        );
      }
    }
  }

  /** The ids of a text. Unpaired surrogates are taken as U+FFFD. */
  encode(text: string): number[] {
    const ids: number[] = [];
    const utf8 = new TextEncoder();
    for (const [piece] of text.toWellFormed().matchAll(PIECES)) {
      const bytes = binaryString(utf8.encode(piece));
      const whole = this.#ids.get(bytes);
      if (whole !== undefined) ids.push(whole);
      else this.#encodePiece(bytes, ids);
    }
    return ids;
  }

  /** The bytes of a regular token, or undefined. */
  bytesOf(id: number): Uint8Array | undefined {
    return this.#bytes[id];
  }

  /**
   * Merges neighbours, lowest rank first and leftmost among equals, until none can be merged. The queue keeps
   * this at n log n, so that a long run without spaces costs no more than its length suggests.
   */
  #encodePiece(bytes: string, ids: number[]): void {
    const n = bytes.length;
    // The span that starts at i ends at ends[i]; the one before it starts at starts[i]. −1: no span starts there.
    const ends = Int32Array.from({ length: n }, (_, i) => i + 1);
    const starts = Int32Array.from({ length: n }, (_, i) => i - 1);
    const queue = new MergeQueue();
    const offer = (start: number): void => {
      if (start < 0 || ends[start] >= n) return;
      const end = ends[ends[start]];
      const rank = this.#rankOf(bytes.slice(start, end));
      if (rank !== undefined) queue.push({ rank, start, end });
    };
    for (let i = 0; i < n; i++) offer(i);
    for (let next = queue.pop(); next; next = queue.pop()) {
      const { start, end } = next;
      const middle = ends[start];
      if (middle < 0 || middle >= n || ends[middle] !== end) continue; // one of the two was merged meanwhile
      ends[start] = end;
      ends[middle] = -1;
      if (end < n) starts[end] = start;
      offer(starts[start]);
      offer(start);
    }
    for (let i = 0; i < n; i = ends[i]) ids.push(this.#ids.get(bytes.slice(i, ends[i]))!);
  }

  #rankOf(merged: string): number | undefined {
    return this.#ranks === null ? this.#ids.get(merged) : this.#ranks.get(merged);
  }
}

/** A binary heap of candidates: lowest rank first, leftmost among equals. */
class MergeQueue {
  readonly #heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const heap = this.#heap;
    let i = heap.push(candidate) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(candidate, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = candidate;
  }

  pop(): Candidate | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function before(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.start < b.start);
}
