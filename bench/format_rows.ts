/**
 * Number formats: BFP16 of one kernel-sized matrix on one thread, and conversions of what no cache holds on all of them.
 *
 * @module
 */

import { CpuDevice } from "../kernels/cpu/device.ts";
import { bfp16Bytes, bfp16Layout } from "../tensor/bfp16_layout.ts";
import { unpackBfp16 } from "../tensor/bfp16.ts";
import { type Formats, PORTABLE_FORMATS } from "../tensor/formats.ts";
import type { Granularity } from "../tensor/quantization.ts";
import type { Peaks } from "./peaks.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";

/** Goals: the C++ that this project succeeds packs 512 × 512 in 0.8 ms, its Python in 187 ms. */
const MOST_NATIVE_SECONDS = 0.2e-3;
const MOST_PORTABLE_SECONDS = 5e-3;
/** Goal of what streams through memory, as a share of the bandwidth measured in the same run. */
const LEAST_OF_BANDWIDTH = 0.5;

const SIDE = 512;
/** 64 MiB of F32: several times a last-level cache. */
const LARGE: readonly [rows: number, columns: number] = [8192, 2048];

/** Measures all formats. */
export async function formatRows(device: CpuDevice, rounds: number, peaks: Peaks): Promise<Row[]> {
  await peaks.sample();
  using alone = CpuDevice.open({ threads: 1 });
  return [
    await bfp16Row(alone.formats, MOST_NATIVE_SECONDS, rounds),
    await bfp16Row(PORTABLE_FORMATS, MOST_PORTABLE_SECONDS, rounds),
    ...await streamRows(device.formats, rounds, peaks),
  ];
}

/** Values in ±1, the same in every run (Weyl's sequence). */
function uniformValues(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => 2 * ((i * 0.6180339887498949) % 1) - 1);
}

async function bfp16Row(formats: Formats, most: number, rounds: number): Promise<Row> {
  const values = uniformValues(SIDE * SIDE);
  const layout = bfp16Layout(SIDE, SIDE, { order: "dim32" });
  const out = new Uint8Array(bfp16Bytes(layout));
  // A conversion is short against a timer's steps and a thread's waking: many in a row, each timed by its share.
  const times = 20;
  const pack = async () => {
    for (let i = 0; i < times; i++) await formats.packBfp16(values, layout, { out });
  };
  const [{ min, median }] = await timeInTurns([pack], rounds);
  const time = { min: min / times, median: median / times };
  return {
    what: `BFP16 of 512², ${formats.name}`,
    time,
    rate: { value: (values.byteLength + out.byteLength) / time.min, unit: "B" },
    error: relativeError(unpackBfp16(out, layout), values),
    verdicts: [{ goal: `≤ ${1000 * most} ms`, met: time.min <= most }],
  };
}

async function streamRows(formats: Formats, rounds: number, peaks: Peaks): Promise<Row[]> {
  const [rows, columns] = LARGE;
  const values = uniformValues(rows * columns);
  const back = new Float32Array(values.length);
  const bf16 = new Uint16Array(values.length);
  const int8 = new Int8Array(values.length);
  const quantize = (granularity: Granularity) => formats.quantizeInt8(values, LARGE, { granularity }, int8);
  // Bytes read and written of each value; a scale of more than a row is known only after all values were read once.
  const streams: readonly {
    readonly what: string;
    readonly bytes: number;
    readonly run: () => Promise<unknown>;
    readonly restore: () => Promise<unknown>;
  }[] = [
    {
      what: "F32 to BF16",
      bytes: 6,
      run: () => formats.toBf16(values, bf16),
      restore: () => formats.fromBf16(bf16, back),
    },
    ...(["tensor", "row", "column", { group: 64 }] as const).map((granularity) => ({
      what: `F32 to INT8 by ${
        typeof granularity === "string" ? granularity : `groups of ${granularity.group}`
      }`,
      bytes: granularity === "tensor" || granularity === "column" ? 9 : 5,
      run: () => quantize(granularity),
      restore: async () => await formats.dequantizeInt8(await quantize(granularity), back),
    })),
  ];
  const timings = await timeInTurns([...streams.map(({ run }) => run), () => peaks.sample()], rounds);
  const report: Row[] = [];
  for (const [i, { what, bytes, run, restore }] of streams.entries()) {
    const rate = (bytes * values.length) / timings[i].min;
    await run();
    await restore();
    report.push({
      what,
      time: timings[i],
      rate: { value: rate, unit: "B" },
      error: relativeError(back, values),
      verdicts: [{
        goal: `≥ ${100 * LEAST_OF_BANDWIDTH} % of memory`,
        get met() { // asked when all is measured: the highest bandwidth of the run counts
          return rate >= LEAST_OF_BANDWIDTH * peaks.read;
        },
      }],
    });
  }
  return report;
}
