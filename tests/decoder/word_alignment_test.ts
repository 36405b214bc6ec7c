// What word times are made of: splitting, punctuation, the running median, time warping.

import assert from "node:assert/strict";
import { Tokenizer } from "../../decoder/mod.ts";
import { alignmentMatrix } from "../../kernels/portable/alignment_matrix.ts";
import { rowEntries } from "../../kernels/portable/dynamic_time_warping.ts";
import { medianFilter } from "../../kernels/portable/median_filter.ts";
import {
  APPEND_PUNCTUATIONS,
  mergePunctuation,
  PREPEND_PUNCTUATIONS,
} from "../../decoder/words/punctuation.ts";
import { splitWords } from "../../decoder/words/split_words.ts";
import { seededRandom } from "../../decoder/random.ts";
import { dataJson } from "./_data.ts";

const golden = await dataJson("words.json");

const TOKENIZERS: Readonly<Record<string, () => Promise<Tokenizer>>> = {
  multilingual: () => Tokenizer.fromBundled("multilingual", { vocabularySize: 51_866 }),
  gpt2: () => Tokenizer.fromBundled("gpt2", { vocabularySize: 51_864 }),
};

for (const [name, open] of Object.entries(TOKENIZERS)) {
  Deno.test(`splitWords() cuts as openai-whisper does (${name})`, async () => {
    const tokenizer = await open();
    assert(golden.splits[name].length > 40);
    for (const { ids, language, words, tokens } of golden.splits[name]) {
      // An English-only vocabulary has no languages there: words are cut at spaces always.
      const parts = splitWords(tokenizer, ids, name === "gpt2" ? "en" : language);
      assert.deepEqual(parts.map(({ text }) => text), words);
      assert.deepEqual(parts.map(({ tokens }) => tokens), tokens);
    }
  });
}

Deno.test("mergePunctuation() merges as openai-whisper does", () => {
  for (const { given, merged } of golden.merges) {
    const words = structuredClone(given);
    mergePunctuation(words, PREPEND_PUNCTUATIONS, APPEND_PUNCTUATIONS);
    assert.deepEqual(words, merged);
  }
});

Deno.test("mergePunctuation() merges nothing where no marks are named", () => {
  const word = (text: string) => ({ text, tokens: [1], start: 0, end: 1, probability: 1 });
  const words = [word(" ("), word("a"), word(".")];
  mergePunctuation(words, "", "");
  assert.deepEqual(words.map(({ text }) => text), [" (", "a", "."]);
});

Deno.test("medianFilter() gives openai-whisper's medians", () => {
  for (const { row, width, medians } of golden.medians) {
    const out = new Float32Array(row.length);
    medianFilter(Float32Array.from([9, ...row, 9]), { start: 1, length: row.length, width }, out);
    assert.deepEqual(out, Float32Array.from(medians));
  }
});

Deno.test("medianFilter() is the median of each window, sorted anew", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 50; round++) {
    const length = 4 + Math.floor(random() * 40);
    // Few values, so that many are equal.
    const row = Float32Array.from({ length }, () => Math.floor(random() * 4));
    const mirrored = (i: number) => row[i < 0 ? -i : i >= length ? 2 * length - 2 - i : i];
    const out = new Float32Array(length);
    medianFilter(row, { start: 0, length, width: 7 }, out);
    for (let i = 0; i < length; i++) {
      const around = Array.from({ length: 7 }, (_, k) => mirrored(i - 3 + k)).sort((a, b) => a - b);
      assert.equal(out[i], around[3]);
    }
  }
});

Deno.test("rowEntries() walks openai-whisper's path, ties included", () => {
  for (const { rows, columns, cost, entries } of golden.warps) {
    const found = rowEntries({ data: Float32Array.from(cost), rows, columns });
    assert.deepEqual([...found], entries);
  }
});

/** The least sum of a way from the first cell to the last, over all ways. */
function cheapest(cost: Float32Array, rows: number, columns: number): number {
  const sums = new Float64Array(rows * columns).fill(Infinity);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const before = i === 0 && j === 0 ? 0 : Math.min(
        i > 0 ? sums[(i - 1) * columns + j] : Infinity,
        j > 0 ? sums[i * columns + j - 1] : Infinity,
        i > 0 && j > 0 ? sums[(i - 1) * columns + j - 1] : Infinity,
      );
      sums[i * columns + j] = cost[i * columns + j] + before;
    }
  }
  return sums[rows * columns - 1];
}

Deno.test("rowEntries() finds a cheapest way, from the first column on and never back", () => {
  const random = seededRandom(2);
  for (let round = 0; round < 200; round++) {
    const rows = 1 + Math.floor(random() * 12);
    const columns = 1 + Math.floor(random() * 30);
    const cost = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
    const entries = rowEntries({ data: cost, rows, columns });
    assert.equal(entries[0], 0);
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const next = i + 1 < rows ? entries[i + 1] : columns - 1;
      assert(entries[i] <= next && next < columns);
      // The row is left either in the column where the next is entered, or in the one before: whichever is cheaper.
      for (let j = entries[i]; j < next; j++) sum += cost[i * columns + j];
      if (i === rows - 1 || next === entries[i]) sum += cost[i * columns + next];
      else sum += Math.min(0, cost[i * columns + next]);
    }
    assert(Math.abs(sum - cheapest(cost, rows, columns)) < 1e-4, `${rows}×${columns}`);
  }
});

Deno.test("alignmentMatrix() is high where a token looks at a place that others do not", () => {
  const heads = 2, tokens = 4, positions = 40;
  const data = new Float32Array(heads * tokens * positions);
  for (let h = 0; h < heads; h++) {
    for (let n = 0; n < tokens; n++) {
      for (let t = 10 * n; t < 10 * n + 10; t++) data[(h * tokens + n) * positions + t] = 5;
    }
  }
  const matrix = alignmentMatrix({ data, heads, tokens, positions }, positions);
  for (let n = 0; n < tokens; n++) {
    const row = matrix.subarray(n * positions, (n + 1) * positions);
    for (let t = 0; t < positions; t++) assert.equal(row[t] > 0, Math.floor(t / 10) === n);
  }
});

Deno.test("alignmentMatrix() stays finite where all tokens look alike, and where a softmax underflows", () => {
  const alike = alignmentMatrix({ data: new Float32Array(60), heads: 1, tokens: 3, positions: 20 }, 13);
  assert.deepEqual(alike, new Float32Array(39));
  const data = Float32Array.from({ length: 60 }, (_, i) => i % 7 === 0 ? 300 : -300);
  const sharp = alignmentMatrix({ data, heads: 1, tokens: 3, positions: 20 }, 20);
  assert(sharp.every(Number.isFinite));
});
