// The native log-mel on every variant: against openai-whisper's, and against itself however the frames are split.

import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import { logMel, padOrTrim } from "../../mel/mod.ts";
import { Random } from "../kernels/_random.ts";
import { readPcm16 } from "../mel/_wav.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { testWithData } from "../support/shared_data.ts";

const openCpu = (variant: string, threads: number): CpuDevice =>
  CpuDevice.open({ library: LIBRARY_PATH, variant, threads });

for (const variant of variants()) {
  testWithData(
    `logMel() of jfk.wav equals what openai-whisper computes (${variant})`,
    ["audio/jfk.wav", "golden/jfk.safetensors"],
    async (wav, golden) => {
      using device = openCpu(variant, 2);
      const mel = await logMel(padOrTrim(readPcm16(await Deno.readFile(wav))), { device });
      const error = relativeError(mel.data, (await readGolden(golden)).log_mel);
      assert.ok(error <= 2e-6, `${error} off`); // measured 5e-7
    },
  );
}

/** Filters over any bins: dense ones, and one that is 0 everywhere. */
function anyFilters(bands: number) {
  const weights = new Random(1).array(bands * 201, 0.01).map(Math.abs);
  weights.fill(0, 201, 2 * 201);
  return { bands, weights };
}

testWithLibrary(
  "logMelPower() agrees with the portable device whatever the filters and the number of frames",
  async () => {
    const filters = anyFilters(7);
    using portable = openPortableDevice();
    for (const frames of [1, 2, 15, 16, 17, 33, 100]) {
      const samples = new Random(2).array(160 * (frames - 1) + 400);
      const expected = await portable.logMelPower(samples, frames, filters);
      for (const variant of variants()) {
        for (const threads of [1, 2, 5]) {
          using device = openCpu(variant, threads);
          const actual = await device.logMelPower(samples, frames, filters);
          const error = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
          assert.ok(error <= 5e-6, `${variant}, ${frames} frames, ${threads} threads: ${error} off`);
        }
      }
    }
  },
);

testWithLibrary("logMelPower() of silence is -10, of a loud tone finite", async () => {
  const filters = anyFilters(80);
  for (const variant of variants()) {
    using device = openCpu(variant, 2);
    const silence = await device.logMelPower(new Float32Array(400 + 160 * 19), 20, filters);
    assert.ok(silence.every((value) => value === -10), `${variant}: ${silence[0]}`);
    const loud = Float32Array.from({ length: 400 }, (_, i) => 1e15 * Math.sin(i));
    assert.ok((await device.logMelPower(loud, 1, filters)).every(Number.isFinite), variant);
  }
});
