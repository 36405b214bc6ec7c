/**
 * The size of one DEFLATE block (RFC 1951), coded as zlib codes it: stored, with the fixed codes or with codes of its
 * own, whichever is shortest.
 *
 * @module
 */

import { codeLengths } from "./huffman_lengths.ts";

/** Symbols of the literal and length alphabet that can occur. */
export const LITERAL_CODES = 286;
/** Symbols of the distance alphabet that can occur. */
export const DISTANCE_CODES = 30;
/** Ends a block. */
export const END_OF_BLOCK = 256;

const LONGEST_CODE = 15;
const LONGEST_LENGTH_CODE = 7;
const STORED_OVERHEAD = 4; // bytes: length and its complement
const BLOCK_HEADER = 3; // bits: last, type

/** Extra bits that follow a length code 257 + n. */
const LENGTH_EXTRA: readonly number[] = Array.from(
  { length: 29 },
  (_, n) => n < 8 || n === 28 ? 0 : (n >> 2) - 1,
);
/** Extra bits that follow a distance code. */
const DISTANCE_EXTRA: readonly number[] = Array.from(
  { length: DISTANCE_CODES },
  (_, n) => n < 4 ? 0 : (n >> 1) - 1,
);

/** Order in which the lengths of the code-length codes are written (RFC 1951, 3.2.7). */
const LENGTH_CODE_ORDER: readonly number[] = [
  16,
  17,
  18,
  0,
  8,
  7,
  9,
  6,
  10,
  5,
  11,
  4,
  12,
  3,
  13,
  2,
  14,
  1,
  15,
];
/** Extra bits of the code-length codes: 16 repeats the last length, 17 and 18 repeat zero. */
const REPEAT_EXTRA: Readonly<Record<number, number>> = { 16: 2, 17: 3, 18: 7 };

/** Lengths of the fixed codes (RFC 1951, 3.2.6). */
function fixedLength(symbol: number): number {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
}

/**
 * Bits written once this block is.
 *
 * @param literals How often each literal and length code occurs, the end not counted.
 * @param distances How often each distance code occurs.
 * @param around `storedBytes`: input bytes of the block; `bitsBefore`: bits written before it.
 */
export function blockBits(
  literals: Uint32Array,
  distances: Uint32Array,
  { storedBytes, bitsBefore }: { readonly storedBytes: number; readonly bitsBefore: number },
): number {
  literals[END_OF_BLOCK] = 1;
  const literalLengths = codeLengths(literals, LONGEST_CODE);
  const distanceLengths = codeLengths(distances, LONGEST_CODE);
  const extra =
    sum(literals, (symbol) => symbol > END_OF_BLOCK ? LENGTH_EXTRA[symbol - END_OF_BLOCK - 1] : 0) +
    sum(distances, (symbol) => DISTANCE_EXTRA[symbol]);
  const own = extra + sum(literals, (symbol) => literalLengths[symbol]) +
    sum(distances, (symbol) => distanceLengths[symbol]) + treeBits(literalLengths, distanceLengths);
  const fixed = extra + sum(literals, fixedLength) + sum(distances, () => 5);

  const inBytes = (bits: number) => (bits + BLOCK_HEADER + 7) >> 3;
  const coded = Math.min(inBytes(own), inBytes(fixed));
  if (storedBytes + STORED_OVERHEAD <= coded) {
    return 8 * (Math.ceil((bitsBefore + BLOCK_HEADER) / 8) + STORED_OVERHEAD + storedBytes);
  }
  return bitsBefore + BLOCK_HEADER + (inBytes(fixed) === coded ? fixed : own);
}

function sum(counts: Uint32Array, bits: (symbol: number) => number): number {
  let total = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol] > 0) total += counts[symbol] * bits(symbol);
  }
  return total;
}

/** Bits of a block's code lengths, themselves run-length and Huffman coded. */
function treeBits(literalLengths: Uint8Array, distanceLengths: Uint8Array): number {
  const counts = new Uint32Array(19);
  countRuns(literalLengths, counts);
  countRuns(distanceLengths, counts);
  const lengths = codeLengths(counts, LONGEST_LENGTH_CODE);
  // At least four lengths are written.
  const written = Math.max(3, LENGTH_CODE_ORDER.findLastIndex((symbol) => lengths[symbol] > 0)) + 1;
  return 5 + 5 + 4 + 3 * written + sum(counts, (symbol) => lengths[symbol] + (REPEAT_EXTRA[symbol] ?? 0));
}

/** Counts the symbols that the lengths up to the last used one are coded with; runs end with their alphabet. */
function countRuns(lengths: Uint8Array, counts: Uint32Array): void {
  const end = lengths.findLastIndex((length) => length > 0) + 1;
  let before = -1;
  for (let from = 0; from < end;) {
    const length = lengths[from];
    // The first of a run of a new length is written out, so a run of it is one longer than the repeat.
    const most = length === 0 ? 138 : length !== before ? 7 : 6;
    let run = 1;
    while (run < most && from + run < end && lengths[from + run] === length) run++;
    from += run;
    const least = length === 0 || length === before ? 3 : 4;
    if (run < least) counts[length] += run;
    else if (length === 0) counts[run <= 10 ? 17 : 18]++;
    else {
      if (length !== before) counts[length]++;
      counts[16]++;
    }
    before = length;
  }
}
