/**
 * What an NPU library does: products, buffers, lists of runs, contexts.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import { PRODUCTS, reference } from "./_products.ts";
import { type Behaviour, plain, refusedWith, S, Setup } from "./_setup.ts";

/** Runs. */
export const RUNS: readonly Behaviour[] = [
  ...PRODUCTS.map((product) =>
    plain(`computes C = A·B with ${product.xclbin} and its own stream`, async (npu, data) => {
      await using setup = await Setup.make(npu, data, product);
      const run = await setup.run();
      await npu.finish(run);
      await setup.expectProduct();
      npu.destroy(run);
    })
  ),

  plain("describes the device, the overlay and the kernel", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const { device, overlay, kernel } = setup.opened;
    const about = await npu.describe((s, json, e) => s.sotto_xrt_device_describe(device, ...json, ...e));
    deepEqual([about.name, about.generation, about.columns, about.rows, about.contexts], [
      "NPU Phoenix",
      "npu1",
      4,
      4,
      6,
    ]);
    const described = await npu.describe((s, json, e) =>
      s.sotto_xrt_overlay_describe(overlay, ...json, ...e)
    );
    deepEqual([described.kernels, described.columns], [["MLIR_AIE"], 1]);
    match(String(described.uuid), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const { arguments: list } = await npu.describe<
      { arguments: { name: string; kind: string; size: number }[] }
    >(
      (s, json, e) => s.sotto_xrt_kernel_describe(kernel, ...json, ...e),
    );
    deepEqual(list.slice(0, 4), [
      { name: "opcode", kind: "scalar", size: 8 },
      { name: "instr", kind: "buffer", size: 8 },
      { name: "ninstr", kind: "scalar", size: 4 },
      { name: "bo0", kind: "buffer", size: 8 },
    ]);
    equal(list.length, 8);
  }),

  plain("maps a buffer where what is written there reaches the NPU", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const where = new BigUint64Array(2);
    await npu.do((s, e) =>
      s.sotto_xrt_buffer_map(setup.buffers[0], where.subarray(0, 1), where.subarray(1), ...e)
    );
    ok(where[1] >= BigInt(setup.a.byteLength));
    const mapped = new Int16Array(
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(where[0])!, setup.a.byteLength),
    );
    deepEqual(mapped.slice(0, 8), setup.a.slice(0, 8));
    setup.a.reverse();
    mapped.set(setup.a);
    const length = BigInt(setup.a.byteLength);
    await npu.do((s, e) => s.sotto_xrt_buffer_sync_to_device(setup.buffers[0], 0n, length, ...e));
    const run = await setup.run();
    await npu.finish(run);
    await setup.expectProduct();
    npu.destroy(run);
  }),

  plain("frees in any order: what is in use stays", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const other = await npu.open(await Deno.readFile(data + PRODUCTS[0].xclbin));
    const buffers = await Promise.all(setup.buffers.map(() => npu.buffer(other.kernel, 3, 262144)));
    await npu.write(buffers[0], setup.a);
    await npu.write(buffers[1], setup.b);
    const run = await npu.run(other.kernel, setup.words, buffers);
    npu.destroy(other.device, other.overlay, other.context, other.kernel, buffers[0], buffers[1]);
    await npu.finish(run);
    const result = new Int32Array(await npu.read(buffers[2], 262144));
    deepEqual(result, reference(setup.product, setup.a, setup.b));
    await npu.start(run);
    npu.destroy(run, buffers[2]); // while it is under way
  }),

  plain("runs again and again, and lists of runs", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const { context, device } = setup.opened;
    const run = await setup.run();
    for (let i = 0; i < 3; i++) {
      await setup.clear();
      await npu.finish(run);
      await setup.expectProduct();
    }
    const runs = [await setup.run(), await setup.run(), await setup.run()];
    const list = await npu.make((s, h, e) => s.sotto_xrt_runlist_create(context, h, ...e));
    const failed = new Int32Array(1);
    const wait = () => npu.try((s, e) => s.sotto_xrt_runlist_wait(list, 0, failed, ...e));
    equal((await wait()).status, S.SOTTO_XRT_INVALID_ARGUMENT);
    await refusedWith(npu.do((s, e) => s.sotto_xrt_runlist_start(list, ...e)), S.SOTTO_XRT_INVALID_ARGUMENT);
    for (const one of runs) await npu.do((s, e) => s.sotto_xrt_runlist_add(list, one, ...e));
    for (let i = 0; i < 2; i++) {
      await setup.clear();
      await npu.do((s, e) => s.sotto_xrt_runlist_start(list, ...e));
      deepEqual([(await wait()).status, failed[0]], [S.SOTTO_XRT_OK, -1]);
      await setup.expectProduct();
    }
    equal((await npu.counters(device))[SottoXrtCounter.SOTTO_XRT_COUNT_LAUNCHES], 9);
    npu.destroy(list, run, ...runs);
  }),

  plain("ends a list at the run that fails, and says which", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const bad = setup.words.slice();
    bad[4] = 0x77;
    const runs = [await setup.run(), await setup.run(bad), await setup.run()];
    const list = await npu.make((s, h, e) => s.sotto_xrt_runlist_create(setup.opened.context, h, ...e));
    for (const one of runs) await npu.do((s, e) => s.sotto_xrt_runlist_add(list, one, ...e));
    const failed = new Int32Array(1);
    await npu.do((s, e) => s.sotto_xrt_runlist_start(list, ...e));
    const { status } = await npu.try((s, e) => s.sotto_xrt_runlist_wait(list, 0, failed, ...e));
    deepEqual([status, failed[0]], [S.SOTTO_XRT_COMMAND_ERROR, 1]);
    const run = await setup.run();
    await npu.finish(run);
    await setup.expectProduct();
    npu.destroy(list, run, ...runs);
  }),

  plain(
    "gives XDNA1 six contexts, refuses the seventh, and gives one again when one is freed",
    async (npu, data) => {
      const device = await npu.device();
      const overlay = await npu.overlay(device, await Deno.readFile(data + PRODUCTS[0].xclbin));
      const contexts: bigint[] = [];
      for (let i = 0; i < 6; i++) contexts.push(await npu.context(overlay));
      await refusedWith(npu.context(overlay), S.SOTTO_XRT_CONTEXT_REFUSED);
      npu.destroy(contexts.pop()!);
      contexts.push(await npu.context(overlay));
      npu.destroy(...contexts, overlay, device);
    },
  ),
];
