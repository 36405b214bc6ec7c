import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { compressionRatio } from "../../decoder/compression_ratio.ts";
import { deflatedSize } from "../../decoder/deflated_size.ts";
import { codeLengths } from "../../decoder/huffman_lengths.ts";
import { dataJson } from "./_data.ts";

Deno.test("compressionRatio() equals Python's zlib to the last digit", async () => {
  for (const [text, ratio] of (await dataJson("deflate.json")).ratios) {
    assert.equal(compressionRatio(text), ratio, JSON.stringify(text.slice(0, 60)));
  }
});

Deno.test("deflatedSize() of an empty stream is that of zlib's shortest", () => {
  const empty = Uint8Array.of(0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01);
  assert.equal(inflateSync(empty).length, 0);
  assert.equal(deflatedSize(new Uint8Array(0)), empty.length);
});

Deno.test("deflatedSize() stores what cannot be compressed", () => {
  // 32 different bytes: 2 + 1 + 4 + 32 + 4.
  assert.equal(deflatedSize(Uint8Array.from({ length: 32 }, (_, i) => 255 - 7 * i)), 43);
});

Deno.test("codeLengths() fills the code space, also where codes must be shortened", () => {
  const fibonacci = [1, 1];
  while (fibonacci.length < 30) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
  for (const longest of [7, 15]) {
    const counts = longest === 7 ? fibonacci.slice(0, 19) : fibonacci;
    const lengths = codeLengths(Uint32Array.from(counts), longest);
    assert.equal(Math.max(...lengths), longest);
    assert.equal(lengths.reduce((sum, length) => sum + 2 ** -length, 0), 1);
  }
});

Deno.test("codeLengths() gives two symbols a code where fewer occur", () => {
  assert.deepEqual([...codeLengths(Uint32Array.of(0, 0, 0, 0), 15)], [1, 1, 0, 0]);
  assert.deepEqual([...codeLengths(Uint32Array.of(0, 9, 0, 0), 15)], [0, 1, 1, 0]);
  assert.deepEqual([...codeLengths(Uint32Array.of(0, 0, 0, 9), 15)], [1, 0, 0, 1]);
});
