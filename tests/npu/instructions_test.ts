import assert from "node:assert/strict";
import { join } from "node:path";
import { ENCODER_NPU1, gemmKernelNamed, programOf } from "../../kernels/npu/catalogue.ts";
import type { MatmulProgram, OverlayDesign } from "../../kernels/npu/design.ts";
import {
  granularityOf,
  type Product,
  productStream,
  wholeBufferStream,
} from "../../kernels/npu/instructions.ts";
import { linear } from "../../kernels/npu/shim_dma.ts";
import { StreamBuilder } from "../../kernels/npu/stream_builder.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import { encodeTransaction, formatInstructionText } from "../../kernels/npu/transaction.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { packBfp16 } from "../../tensor/bfp16.ts";
import { testWithData } from "../support/shared_data.ts";
import { runInt16Products, wordsRead } from "./_array_model.ts";
import { SHIPPED } from "./_designs.ts";
import { interpret } from "./_dma_interpreter.ts";

/** A design of small tiles, so that products of every shape stay small. */
function smallDesign(columns: number, rows: number, reduce: number | null = null): OverlayDesign {
  const program: MatmulProgram = {
    kind: "matmul",
    m: 4,
    k: 8,
    n: 4,
    subtile: [4, 4, 4],
    input: "i16",
    output: "i32",
    reduce,
  };
  const generation = columns === 8 ? "npu2" : "npu1";
  return { generation, columns, rows, runtime: reduce === null ? 0xf000 : null, programs: [program] };
}

function numbers(length: number, seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 20) - 2048;
  });
}

function words(values: Int16Array): Uint32Array {
  return new Uint32Array(values.buffer as ArrayBuffer);
}

/** Runs a product's stream on the array model and holds C against A·B, the words around it included. */
function assertProduct(design: OverlayDesign, product: Product): void {
  const { M, K, N } = product;
  const strides = { a: product.a?.stride ?? K, b: product.b?.stride ?? N, c: product.c?.stride ?? N };
  const skip = {
    a: (product.a?.offset ?? 0) / 2,
    b: (product.b?.offset ?? 0) / 2,
    c: (product.c?.offset ?? 0) / 4,
  };
  const a = numbers(skip.a + M * strides.a, 1);
  const b = numbers(skip.b + K * strides.b, 2);
  const untouched = 0x5a5a5a5a;
  const c = new Uint32Array(skip.c + M * strides.c).fill(untouched);
  const stream = productStream(design, [product]);
  const report = checkStream(stream, [a.byteLength, b.byteLength, c.byteLength]);
  assert.equal(report.bytesOut, 4 * M * N);
  const interpretation = interpret(encodeTransaction(stream));
  const { program } = { program: design.programs[0] as MatmulProgram };
  runInt16Products(design, program, K / program.k, interpretation, [words(a), words(b), c]);

  const expected = new Int32Array(c.length).fill(untouched);
  for (let i = 0; i < M; i++) {
    for (let l = 0; l < N; l++) {
      let sum = 0;
      for (let j = 0; j < K; j++) sum += a[skip.a + i * strides.a + j] * b[skip.b + j * strides.b + l];
      expected[skip.c + i * strides.c + l] = sum;
    }
  }
  assert.deepEqual(new Int32Array(c.buffer), expected);
  for (const { asked, waited } of interpretation.tokens.values()) assert.equal(asked, waited);
}

for (const [columns, rows] of [[1, 1], [1, 4], [2, 4], [4, 4], [4, 1], [4, 2], [8, 4]] as const) {
  Deno.test(`productStream() on ${columns} columns and ${rows} rows gives A·B for any number of tiles`, () => {
    for (const [rowBlocks, kTiles, columnBlocks] of [[1, 1, 1], [2, 3, 1], [3, 1, 2], [5, 2, 3]]) {
      assertProduct(smallDesign(columns, rows), {
        M: rowBlocks * 4 * rows,
        K: kTiles * 8,
        N: columnBlocks * 4 * columns,
      });
    }
  });
}

Deno.test("productStream() goes past what one descriptor iterates over", () => {
  assertProduct(smallDesign(1, 1, 2), { M: 12, K: 16, N: 4 * 131 });
});

Deno.test("productStream() reads and writes parts of wider matrices", () => {
  assertProduct(smallDesign(2, 4), {
    M: 32,
    K: 16,
    N: 16,
    a: { argument: 0, offset: 8, stride: 40 },
    b: { argument: 1, offset: 64, stride: 24 },
    c: { argument: 2, offset: 12, stride: 20 },
  });
});

Deno.test("productStream() writes the runtime words of every tile before the first task, once for equal products", () => {
  const design = smallDesign(2, 4);
  const product = { M: 16, K: 24, N: 8 };
  const stream = productStream(design, [product, product, { ...product, K: 8 }]);
  const { operations } = stream;
  const writes = operations.filter((operation) =>
    operation.op === "blockWrite" && (operation.address >>> 20 & 31) >= 2
  );
  assert.equal(writes.length, 2 * 8);
  assert.equal(operations.findIndex((operation) => operation.op === "patch") > 8, true);
  const { others } = interpret(encodeTransaction(productStream(design, [product])));
  const expected = new Map<number, number>();
  for (let column = 0; column < 2; column++) {
    for (let row = 2; row < 6; row++) {
      [0, 3, 0, 0].forEach((value, i) => expected.set((column << 25) + (row << 20) + 0xf000 + 4 * i, value));
    }
  }
  assert.deepEqual(others, expected);
  checkStream(stream);
});

Deno.test("productStream() makes streams for sizes that were not shipped, on the shipped overlays", () => {
  for (const { design, product } of SHIPPED) {
    const program = design.programs[0] as MatmulProgram;
    const unit = granularityOf(design, program);
    const other = { M: 3 * unit.M, K: product.K, N: 2 * unit.N };
    const report = checkStream(productStream(design, [other]), [
      2 * other.M * other.K,
      2 * other.K * other.N,
      (program.output === "i32" ? 4 : 2) * other.M * other.N,
    ]);
    assert.equal(report.bytesIn, 2 * 2 * other.M * other.K + 3 * 2 * other.K * other.N);
  }
});

Deno.test("productStream() cuts BFP16 matrices in DIM32 order into the tiles' own DIM32 order, B transposed", () => {
  const kernel = gemmKernelNamed("encoder_bfp16_npu2");
  const { m, k, n } = programOf(kernel);
  const { M, K, N } = { M: 4 * m, K: 2 * k, N: 8 * n };
  const pack = (values: Float32Array<ArrayBuffer>, rows: number, columns: number) =>
    packBfp16(values, bfp16Layout(rows, columns, { order: "dim32", tile: [64, 64] }));
  const matrix = (rows: number, columns: number, seed: number) =>
    Float32Array.from(numbers(rows * columns, seed), (value) => value / 2048);
  const tile = (values: Float32Array, columns: number, row: number, column: number) =>
    Float32Array.from(
      { length: 64 * 64 },
      (_, i) => values[(row + Math.floor(i / 64)) * columns + column + i % 64],
    );
  const a = matrix(M, K, 3);
  const b = matrix(N, K, 4); // transposed
  const buffers = [pack(a, M, K), pack(b, N, K)].map((bytes) =>
    new Uint32Array(bytes.buffer, 0, bytes.length / 4)
  );
  const { accesses } = interpret(
    encodeTransaction(productStream(kernel.design, [{ M, K, N, program: kernel.program }])),
  );
  const expected = (values: Float32Array, row: number) =>
    [0, k].flatMap((column) =>
      Array.from(packBfp16(tile(values, K, row, column), bfp16Layout(64, 64, { order: "dim32" })))
    );
  const seen = (key: string) => Array.from(new Uint8Array(wordsRead(accesses.get(key)!, buffers).buffer));
  for (let row = 0; row < 4; row++) {
    assert.deepEqual(seen(`${2 * row}/mm2s0`), expected(a, row * m), `row ${row}`);
  }
  for (let column = 0; column < 8; column++) {
    assert.deepEqual(seen(`${column}/mm2s1`), expected(b, column * n), `column ${column}`);
  }
});

testWithData(
  "StreamBuilder gives the stream shipped with the matrix-vector product, word for word",
  ["xclbin/parts/matrix_vector_288x288"],
  (folder) => {
    const stream = new StreamBuilder();
    const tile = 32;
    const tiles = 288 / tile;
    const row = 288 / 2; // words of a row of int16
    stream.batch([
      {
        column: 0,
        direction: "mm2s",
        channel: 1,
        argument: 1,
        offset: 0,
        bd: 2,
        pattern: { ...linear(row), repeats: tiles },
      },
      {
        column: 0,
        direction: "mm2s",
        channel: 0,
        argument: 0,
        offset: 0,
        bd: 1,
        pattern: {
          repeats: tiles,
          repeatStep: tile * row,
          blocks: tiles,
          blockStep: tile / 2,
          rows: tile,
          rowStep: row,
          words: tile / 2,
        },
      },
      { column: 0, direction: "s2mm", channel: 0, argument: 2, offset: 0, bd: 0, pattern: linear(288) },
    ]);
    const ours = encodeTransaction(stream.finish({ generation: "npu1", columns: 4 }));
    assert.equal(formatInstructionText(ours), Deno.readTextFileSync(join(folder, "insts.txt")));
  },
);

Deno.test("wholeBufferStream() makes the streams that the predecessor's kernels lack", () => {
  const design = { generation: "npu1", columns: 4 } as const;
  const matmul = wholeBufferStream(design, [
    { argument: 0, bytes: 8192 },
    { argument: 1, bytes: 8192, channel: 1 },
  ], [{ argument: 2, bytes: 8192 }]);
  const attention = wholeBufferStream(design, [{ argument: 0, bytes: 12_288 }], [{
    argument: 1,
    bytes: 4096,
  }]);
  assert.deepEqual(checkStream(matmul).bufferBytes, [8192, 8192, 8192]);
  assert.deepEqual(checkStream(attention).bufferBytes, [12_288, 4096]);
  const { accesses } = interpret(encodeTransaction(matmul));
  for (const [key, argument] of [["0/mm2s0", 0], ["0/mm2s1", 1], ["0/s2mm0", 2]] as const) {
    assert.deepEqual(accesses.get(key), Array.from({ length: 2048 }, (_, word) => ({ argument, word })));
  }
});

const REFUSED: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    "M that is no multiple",
    () => productStream(ENCODER_NPU1, [{ M: 1500, K: 512, N: 512 }]),
    /M must be a multiple of 256: got 1500/,
  ],
  [
    "K that is no multiple",
    () => productStream(ENCODER_NPU1, [{ M: 256, K: 80, N: 512 }]),
    /K must be a multiple of 64: got 80/,
  ],
  [
    "N of 0",
    () => productStream(ENCODER_NPU1, [{ M: 256, K: 64, N: 0 }]),
    /N must be a multiple of 256: got 0/,
  ],
  [
    "a K that is not compiled in",
    () => productStream(SHIPPED[0].design, [{ M: 64, K: 128, N: 32 }]),
    /sums 4 tiles of 64 along K: got K = 128/,
  ],
  [
    "a program that is no product",
    () => productStream(ENCODER_NPU1, [{ M: 256, K: 64, N: 256, program: 2 }]),
    /must be a matmul: got attention/,
  ],
  [
    "a matrix that is too wide for a descriptor",
    () => productStream(ENCODER_NPU1, [{ M: 256, K: 128, N: 65_536 }]),
    /step between blocks, in words, must be 1…1048576: got 2097152/,
  ],
  [
    "bytes that are no words",
    () => wholeBufferStream(ENCODER_NPU1, [{ argument: 0, bytes: 6 }], []),
    /multiple of 4: got 6/,
  ],
];

for (const [name, run, message] of REFUSED) {
  Deno.test(`streams are refused for ${name}`, () => {
    assert.throws(run, { name: "SottoError", code: "E_OPTION", message });
  });
}
