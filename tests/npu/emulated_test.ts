import { deepEqual, equal } from "node:assert/strict";
import { sharedData, testWithData } from "../support/shared_data.ts";
import { BEHAVIOURS } from "./_behaviours.ts";
import { Npu, type StatusError } from "./_npu.ts";
import { oneRound, oneTile } from "./_one_tile.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

for (const { name, settings, body } of BEHAVIOURS) {
  const title = settings === "" ? name : `${name} (${settings})`;
  testWithData(
    `emulated NPU ${title}`,
    ["xclbin/matmul_256x256x256_64x64x32_1core.npu1.xclbin"],
    async () => {
      const npu = new Npu();
      await npu.configure(settings);
      await body(npu, sharedData("")!);
      await npu.configure("");
    },
  );
}

/** A window onto a buffer's mapping. */
async function map(npu: Npu, buffer: bigint): Promise<Uint8Array<ArrayBuffer>> {
  const where = new BigUint64Array(2);
  await npu.do((s, e) => s.sotto_xrt_buffer_map(buffer, where.subarray(0, 1), where.subarray(1), ...e));
  const pointer = Deno.UnsafePointer.create(where[0])!;
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, Number(where[1])));
}

testOnEmulatedNpu("emulated NPU shows a forgotten sync, either way", [], async () => {
  const npu = new Npu();
  await npu.configure("device=strix");
  const opened = await npu.open(oneTile("gelu length 16"));
  const sizes = [32, 32];
  const [from, to] = [await npu.buffer(opened.kernel, 3, 32), await npu.buffer(opened.kernel, 4, 32)];
  const run = await npu.run(opened.kernel, oneRound([0, 0, 0, 0], sizes), [from, to]);
  const [input, output] = [await map(npu, from), await map(npu, to)];
  const ones = Uint8Array.from({ length: 32 }, (_, i) => i % 2 ? 0x41 : 0); // 8.0 in bf16, whose gelu is 8.0
  const zeros = new Uint8Array(32);
  input.set(ones);
  await npu.finish(run);
  deepEqual(new Uint8Array(await npu.read(to, 32)), zeros);
  await npu.do((s, e) => s.sotto_xrt_buffer_sync_to_device(from, 0n, 32n, ...e));
  await npu.finish(run);
  deepEqual(output.slice(), zeros);
  await npu.do((s, e) => s.sotto_xrt_buffer_sync_from_device(to, 0n, 32n, ...e));
  deepEqual(output.slice(), ones);
  npu.destroy(run, from, to);
  npu.close(opened);
  await npu.configure("");
});

testOnEmulatedNpu("emulated NPU refuses settings it does not know, and keeps those it has", [], async () => {
  const npu = new Npu();
  for (
    const settings of [
      "device=epyc",
      "hang=",
      "hang@",
      "hang@0",
      "context=x",
      "slow",
      "slow=-1",
      "colour=red",
      "memlock@2",
    ]
  ) {
    try {
      await npu.configure(settings);
      throw new Error(`${settings} was taken`);
    } catch (error) {
      equal((error as StatusError).status, 1, `${settings}: ${error}`);
    }
  }
  npu.destroy(await npu.device());
});
