import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { formatsOf } from "../../kernels/formats.ts";
import { openDevice } from "../../kernels/select.ts";
import { PORTABLE_FORMATS } from "../../tensor/formats.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";

Deno.test("formatsOf() the portable device are plain TypeScript", async () => {
  using device = await openDevice("portable");
  assert.equal(formatsOf(device), PORTABLE_FORMATS);
});

testWithLibrary("formatsOf() the CPU device are native, and give the same bits", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 1 });
  const formats = formatsOf(device);
  assert.match(formats.name, /^cpu \(/);
  const values = Float32Array.of(1, -2.5, NaN, 1e-40);
  assert.deepEqual(await formats.toBf16(values), await PORTABLE_FORMATS.toBf16(values));
});
