/**
 * How many bytes zlib makes of some bytes, to the byte, at its default level.
 *
 * The threshold for repetitive text is a ratio of sizes, so it depends on the compressor. Deno's own zlib answers up
 * to 8 % more than the classic one that openai-whisper's Python is built on. So this computes the size that the classic
 * algorithm arrives at (RFC 1950, RFC 1951; lazy matching of level 6), without writing the bits.
 *
 * @module
 */

import { blockBits, DISTANCE_CODES, END_OF_BLOCK, LITERAL_CODES } from "./deflate_block.ts";

/** Level 6 of zlib (its `configuration_table`). */
const GOOD_LENGTH = 8; // a match this long already: look at a quarter of the candidates
const LAZY_LENGTH = 16; // a match this long already: look for no better one
const NICE_LENGTH = 128; // stop at a match this long
const MOST_CANDIDATES = 128;

const SHORTEST = 3;
const LONGEST = 258;
/** A match of the shortest length is not worth it further back than this. */
const TOO_FAR = 4096;
/** The window less what zlib keeps ahead of it. */
const FARTHEST = 32_768 - (LONGEST + SHORTEST + 1);
/** Literals and matches in a block (memory level 8). */
const SYMBOLS_PER_BLOCK = 16_383;
const HASH_MASK = 0x7fff;
/** Header, check sum. */
const FRAME_BYTES = 2 + 4;

/**
 * Size of `zlib.compress(bytes)` in Python, bytes. Exact up to 65,273 bytes, many times the text of a window;
 * above, where zlib moves its window, off by a few.
 */
export function deflatedSize(bytes: Uint8Array): number {
  const blocks = new BlockCounter();
  const matcher = new Matcher(bytes);
  let pendingLength = SHORTEST - 1; // of the match found one byte earlier
  let pendingDistance = 0;
  let literalPending = false;
  let at = 0;
  while (at < bytes.length) {
    const previousLength = pendingLength;
    const previousDistance = pendingDistance;
    const candidate = matcher.insert(at);
    pendingLength = SHORTEST - 1;
    if (candidate > 0 && previousLength < LAZY_LENGTH && at - candidate <= FARTHEST) {
      ({ length: pendingLength, distance: pendingDistance } = matcher.longest(at, candidate, previousLength));
      if (pendingLength === SHORTEST && pendingDistance > TOO_FAR) pendingLength = SHORTEST - 1;
    }
    if (previousLength >= SHORTEST && pendingLength <= previousLength) {
      // The earlier match is as good: take it, and enter the bytes it covers.
      const end = at - 1 + previousLength;
      for (at++; at < end; at++) matcher.insert(at);
      blocks.match(previousLength, previousDistance, end);
      literalPending = false;
      pendingLength = SHORTEST - 1;
    } else {
      if (literalPending) blocks.literal(bytes[at - 1], at);
      literalPending = true;
      at++;
    }
  }
  if (literalPending) blocks.literal(bytes[at - 1], at);
  return FRAME_BYTES + blocks.finish(bytes.length);
}

/** Finds earlier occurrences through chains of positions with equal hash. Position 0 is never a candidate. */
class Matcher {
  /** The bytes, and zeros that comparisons may run into. */
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #heads = new Int32Array(HASH_MASK + 1);
  readonly #previous: Int32Array;
  /** Distance of the last match found: zlib keeps it where a search finds nothing better. */
  #distance = 0;

  constructor(bytes: Uint8Array) {
    this.#length = bytes.length;
    this.#bytes = new Uint8Array(bytes.length + LONGEST);
    this.#bytes.set(bytes);
    this.#previous = new Int32Array(bytes.length);
  }

  /** Enters a position; the latest earlier one with its hash, or 0. The last two bytes have no hash. */
  insert(at: number): number {
    if (at + SHORTEST > this.#length) return 0;
    const hash = ((this.#bytes[at] << 10) ^ (this.#bytes[at + 1] << 5) ^ this.#bytes[at + 2]) & HASH_MASK;
    const head = this.#heads[hash];
    this.#previous[at] = head;
    this.#heads[hash] = at;
    return head;
  }

  /** The longest match that exceeds `least`, the nearest among equals; else `least` itself. */
  longest(at: number, first: number, least: number): { length: number; distance: number } {
    const bytes = this.#bytes;
    const ahead = this.#length - at;
    const nice = Math.min(NICE_LENGTH, ahead);
    const limit = Math.max(0, at - FARTHEST);
    let best = least;
    let left = least >= GOOD_LENGTH ? MOST_CANDIDATES >> 2 : MOST_CANDIDATES;
    for (
      let candidate = first;
      candidate > limit && left > 0;
      candidate = this.#previous[candidate], left--
    ) {
      if (bytes[candidate + best] !== bytes[at + best]) continue;
      let length = 0;
      while (length < LONGEST && bytes[candidate + length] === bytes[at + length]) length++;
      if (length <= best) continue;
      best = length;
      this.#distance = at - candidate;
      if (length >= nice) break;
    }
    return { length: Math.min(best, ahead), distance: this.#distance };
  }
}

/** Length code (less 257) and extra bits of a match length, and distance code and extra bits. */
function lengthCode(length: number): number {
  if (length === LONGEST) return 28;
  const n = length - SHORTEST;
  if (n < 8) return n;
  const bits = 29 - Math.clz32(n); // extra bits
  return 4 * (bits + 1) + ((n >> bits) & 3);
}

function distanceCode(distance: number): number {
  const n = distance - 1;
  if (n < 4) return n;
  const bits = 30 - Math.clz32(n);
  return 2 * (bits + 1) + ((n >> bits) & 1);
}

/** Counts symbols and adds up the blocks they make. */
class BlockCounter {
  #literals = new Uint32Array(LITERAL_CODES);
  #distances = new Uint32Array(DISTANCE_CODES);
  #symbols = 0;
  #start = 0;
  #bits = 0;

  /** @param end Bytes of the input that are coded with this one. */
  literal(byte: number, end: number): void {
    this.#literals[byte]++;
    this.#count(end);
  }

  match(length: number, distance: number, end: number): void {
    this.#literals[END_OF_BLOCK + 1 + lengthCode(length)]++;
    this.#distances[distanceCode(distance)]++;
    this.#count(end);
  }

  /** Closes the last block; bytes of all. */
  finish(end: number): number {
    this.#close(end);
    return Math.ceil(this.#bits / 8);
  }

  #count(end: number): void {
    if (++this.#symbols === SYMBOLS_PER_BLOCK) this.#close(end);
  }

  #close(end: number): void {
    this.#bits = blockBits(this.#literals, this.#distances, {
      storedBytes: end - this.#start,
      bitsBefore: this.#bits,
    });
    this.#literals = new Uint32Array(LITERAL_CODES);
    this.#distances = new Uint32Array(DISTANCE_CODES);
    this.#symbols = 0;
    this.#start = end;
  }
}
