import assert from "node:assert/strict";
import { attentionStream } from "../../kernels/npu/attention_stream.ts";
import {
  CATALOGUE,
  type GemmKernel,
  gemmKernelNamed,
  kernelNamed,
  programOf,
} from "../../kernels/npu/catalogue.ts";
import { checkDesign, designText, TILE_MEMORY_BYTES, tileBufferBytes } from "../../kernels/npu/design.ts";
import { modelledPdi, modelledXclbin } from "../../kernels/npu/container.ts";
import { checkStream } from "../../kernels/npu/stream_check.ts";
import {
  launchesOf,
  planAttention,
  planProduct,
  planStream,
  streamOperations,
} from "../../kernels/npu/tiling.ts";
import { readNpuXclbin } from "../../kernels/xclbin/read.ts";

const GEMM_KERNELS = CATALOGUE.filter((kernel): kernel is GemmKernel => kernel.operation === "gemm");

Deno.test("planProduct() counts the launches of (3001×512)·(512×512)", () => {
  const launches = (name: string) => planProduct(gemmKernelNamed(name), { M: 3001, K: 512, N: 512 }).launches;
  assert.equal(launches("bf16_64x64"), 3008);
  assert.equal(launches("bf16_64x512"), 376);
  assert.equal(launches("bf16_128x512"), 188);
  assert.equal(launches("i8_512x512x512_32tile"), 6);
  assert.equal(launches("encoder_bf16_npu1"), 1);
});

Deno.test("planProduct() does FC2 in four chunks of K, or at once", () => {
  const size = { M: 1500, K: 2048, N: 512 };
  const chunks = planProduct(gemmKernelNamed("i8_512x512x512_32tile"), size);
  assert.deepEqual(chunks.counts, { M: 3, K: 4, N: 1 });
  assert.deepEqual(planProduct(gemmKernelNamed("i8_512x2048x512_32tile"), size).counts, { M: 3, K: 1, N: 1 });
  assert.equal(planProduct(gemmKernelNamed("encoder_i8_npu2"), size).launches, 1);
});

Deno.test("planAttention() counts the predecessor's tiles of a base layer, and one launch with ours", () => {
  const tiles = (name: string) => {
    const kernel = kernelNamed(name);
    assert.equal(kernel.operation, "attention");
    return planAttention(kernel as Extract<typeof kernel, { operation: "attention" }>, 1500, 8);
  };
  assert.equal(tiles("attention_int8_64x64").launches, 192);
  assert.equal(tiles("encoder_attention_npu1").launches, 1);
});

Deno.test("planAttention() agrees with the streams it leads to", () => {
  for (const generation of ["npu1", "npu2"]) {
    const kernel = kernelNamed(`encoder_attention_${generation}`);
    assert(kernel.operation === "attention" && kernel.design !== null);
    for (const [T, heads] of [[1500, 8], [1500, 6], [1, 1], [257, 3]]) {
      const plan = planAttention(kernel, T, heads);
      const report = checkStream(attentionStream(kernel.design, [{ T, heads }]));
      assert.deepEqual(plan.bytes, { in: report.bytesIn, out: report.bytesOut });
      assert.equal(plan.streamOperations, report.operations);
      assert.equal(plan.rounds * kernel.design.columns, report.tasks.length / 3);
    }
  }
});

for (const kernel of GEMM_KERNELS) {
  Deno.test(`planProduct() on ${kernel.name} agrees with the streams it leads to`, () => {
    for (const [M, K, N] of [[1, 1, 1], [64, 64, 64], [65, 513, 129], [1500, 512, 2048], [1500, 2048, 512]]) {
      const plan = planProduct(kernel, { M, K, N });
      const { padded, launch, counts } = plan;
      assert(padded.M >= M && padded.K >= K && padded.N >= N);
      assert(padded.M - M < launch.M && padded.K - K < launch.K && padded.N - N < launch.N);
      assert.deepEqual(
        [counts.M * launch.M, counts.K * launch.K, counts.N * launch.N],
        [padded.M, padded.K, padded.N],
      );
      const stream = planStream(plan);
      const report = checkStream(stream);
      assert.equal(plan.launches * report.bytesIn, plan.bytes.in);
      assert.equal(plan.launches * report.bytesOut, plan.bytes.out);
      assert.equal(streamOperations(plan), report.operations);
    }
  });
}

Deno.test("launchesOf() covers the padded product once, and sums chunks of K one after the other", () => {
  const plan = planProduct(gemmKernelNamed("i8_512x512x512_32tile"), { M: 600, K: 1100, N: 513 });
  const launches = Array.from(launchesOf(plan));
  assert.equal(launches.length, plan.launches);
  assert.equal(new Set(launches.map(({ m, k, n }) => `${m} ${k} ${n}`)).size, 2 * 3 * 2);
  for (const [index, { m, k, n, accumulate }] of launches.entries()) {
    assert.equal(accumulate, k > 0);
    if (accumulate) assert.deepEqual({ m, n }, { m: launches[index - 1].m, n: launches[index - 1].n });
  }
});

Deno.test("planProduct() refuses sizes that are none", () => {
  const kernel = gemmKernelNamed("bf16_64x64");
  for (const M of [0, -1, 1.5, NaN]) {
    assert.throws(() => planProduct(kernel, { M, K: 1, N: 1 }), {
      code: "E_OPTION",
      message: /M must be 1 or more/,
    });
  }
});

Deno.test("kernelNamed() suggests what was meant", () => {
  assert.throws(() => kernelNamed("bf16_64x65"), { code: "E_OPTION", hint: /Did you mean "bf16_64x64"/ });
  assert.throws(() => gemmKernelNamed("attention_int8_64x64"), {
    code: "E_OPTION",
    message: /it is for attention/,
  });
});

Deno.test("the catalogue's tile programs fit a compute tile and its runtime words", () => {
  assert.equal(new Set(CATALOGUE.map((kernel) => kernel.name)).size, CATALOGUE.length);
  for (const kernel of GEMM_KERNELS) {
    checkDesign(kernel.design);
    const { runtime } = kernel.design;
    assert(tileBufferBytes(programOf(kernel)).single <= (runtime ?? TILE_MEMORY_BYTES), kernel.name);
  }
});

Deno.test("checkDesign() refuses what is no overlay", () => {
  const { design } = gemmKernelNamed("encoder_bf16_npu1");
  const program = programOf(gemmKernelNamed("encoder_bf16_npu1"));
  const wrong = [
    [{ columns: 3 }, /npu1 has 1, 2, 4 columns: got 3/],
    [{ columns: 8 }, /npu1 has 1, 2, 4 columns: got 8/],
    [{ rows: 5 }, /1…4 rows: got 5/],
    [{ rows: 3 }, /rows must divide 4 columns/],
    [{ programs: [] }, /1…8 programs: got 0/],
    [{ runtime: null }, /without runtime words there is one program: got 3/],
    [{ runtime: null, programs: [program] }, /how many tiles it sums/],
    [{ runtime: 0xf008 }, /multiple of 16/],
    [{ programs: [{ ...program, n: 66 }] }, /made of 4×8×4 subtiles: got 64×64×66/],
    [{ programs: [{ ...program, m: 128, n: 128 }] }, /buffers must fit 61440 bytes: got 131072/],
    [{ programs: [{ ...program, output: "i32" }] }, /C of bf16 must be one of f32, bf16, bfp16: got i32/],
  ] as const;
  for (const [changes, message] of wrong) {
    assert.throws(() => checkDesign({ ...design, ...changes } as typeof design), {
      code: "E_OPTION",
      message,
    });
  }
});

Deno.test("modelledXclbin() is a genuine container whose PDI names the design", () => {
  for (const { design } of GEMM_KERNELS) {
    const xclbin = readNpuXclbin(modelledXclbin(design));
    assert.equal(xclbin.partition.columnWidth, design.columns);
    const [pdi] = xclbin.partition.pdis;
    assert.deepEqual(pdi.image, modelledPdi(design));
    assert.equal(pdi.image.length % 16, 0);
    assert.equal(new TextDecoder().decode(pdi.image).replace(/\0+$/, ""), designText(design));
    assert.deepEqual(modelledXclbin(design), modelledXclbin(design));
  }
  assert.equal(
    designText(gemmKernelNamed("encoder_bf16_npu1").design),
    `sotto-npu-model 1
array npu1 columns 4 rows 4
runtime 0xf000
program 0 matmul tile 64 64 64 subtile 4 8 4 a bf16 b bf16 c f32
program 1 matmul tile 64 64 64 subtile 4 8 8 a i8 b i8 c i32
program 2 attention tile 64 64 in bf16 out bf16
`,
  );
});
