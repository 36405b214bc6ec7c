import assert from "node:assert/strict";
import { attentionRows, attentionStream } from "../../kernels/npu/attention_stream.ts";
import type { AttentionProgram, OverlayDesign } from "../../kernels/npu/design.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import { encodeTransaction } from "../../kernels/npu/transaction.ts";
import { interpret } from "./_dma_interpreter.ts";

const PROGRAM: AttentionProgram = { kind: "attention", queries: 8, width: 8, input: "bf16", output: "bf16" };

function design(columns: number): OverlayDesign {
  return { generation: "npu1", columns, rows: 4, runtime: 0xf000, programs: [PROGRAM] };
}

/** Words of rows `row`… of `count`, columns `column`… of 8 bf16, in a matrix whose rows have `width` bf16. */
function tileWords(argument: number, row: number, count: number, column: number, width: number) {
  return Array.from(
    { length: count },
    (_, i) => Array.from({ length: 4 }, (_, j) => ({ argument, word: ((row + i) * width + column) / 2 + j })),
  ).flat();
}

for (const [columns, T, heads] of [[4, 40, 2], [2, 33, 3], [1, 8, 1], [4, 70, 3]]) {
  Deno.test(`attentionStream() brings Q, then K and V tile by tile, for T = ${T}, ${heads} heads, ${columns} columns`, () => {
    const C = heads * 8;
    const stream = attentionStream(design(columns), [{ T, heads }]);
    const rows = attentionRows(design(columns), PROGRAM, T);
    assert.equal(rows % 32, 0);
    assert.equal(rows >= T && rows - T < 32, true);
    checkStream(stream, [rows * 3 * C * 2, rows * C * 2]);

    const { accesses, tokens, others } = interpret(encodeTransaction(stream));
    const blocks = rows / 32;
    const pieces = Array.from({ length: Math.ceil(heads * blocks / columns) * columns }, (_, i) => {
      const piece = Math.min(i, heads * blocks - 1);
      return { head: Math.floor(piece / blocks), row: 32 * (piece % blocks) };
    });
    const keyTiles = Array.from({ length: Math.ceil(T / 8) }, (_, i) => 8 * i);
    for (let column = 0; column < columns; column++) {
      const own = pieces.filter((_, i) => i % columns === column);
      assert.deepEqual(
        accesses.get(`${column}/mm2s0`),
        own.flatMap(({ head, row }) => tileWords(0, row, 32, 8 * head, 3 * C)),
      );
      assert.deepEqual(
        accesses.get(`${column}/mm2s1`),
        own.flatMap(({ head }) =>
          keyTiles.flatMap((key) => [
            ...tileWords(0, key, 8, C + 8 * head, 3 * C),
            ...tileWords(0, key, 8, 2 * C + 8 * head, 3 * C),
          ])
        ),
      );
      assert.deepEqual(
        accesses.get(`${column}/s2mm0`),
        own.flatMap(({ head, row }) => tileWords(1, row, 32, 8 * head, C)),
      );
      assert.deepEqual(tokens.get(`${column}/s2mm0`), { asked: own.length, waited: own.length });
    }
    const scale = new Uint32Array(Float32Array.of(1 / Math.sqrt(8)).buffer)[0];
    assert.deepEqual([0, 4, 8, 12].map((at) => others.get((2 << 20) + 0xf000 + at)), [
      0,
      keyTiles.length,
      T,
      scale,
    ]);
  });
}

Deno.test("attentionStream() does every window of a batch", () => {
  const window = attentionStream(design(4), [{ T: 32, heads: 4 }]);
  const two = attentionStream(design(4), [
    { T: 32, heads: 4 },
    { T: 32, heads: 4, input: { argument: 0, offset: 6144 }, output: { argument: 1, offset: 2048 } },
  ]);
  assert.equal(checkStream(two).tasks.length, 2 * checkStream(window).tasks.length);
  assert.deepEqual(checkStream(two).bufferBytes, [2 * 6144, 2 * 2048]);
});

Deno.test("attentionStream() refuses what it cannot do", () => {
  const refused = (run: () => unknown, message: RegExp) =>
    assert.throws(run, { name: "SottoError", code: "E_OPTION", message });
  refused(() => attentionStream(design(4), [{ T: 0, heads: 1 }]), /T must be 1 or more/);
  refused(() => attentionStream(design(4), [{ T: 513, heads: 1 }]), /at most 512 frames: got 513/);
  refused(() => attentionStream(design(4), [{ T: 8, heads: 0 }]), /must be heads/);
  refused(() => attentionStream({ ...design(4), runtime: null }, [{ T: 8, heads: 1 }]), /runtime words/);
});
