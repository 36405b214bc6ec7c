/**
 * What an NPU library refuses: containers, names, arguments, streams, ranges, handles.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { PRODUCTS } from "./_products.ts";
import { A_DESCRIPTOR, type Behaviour, C_PATCH, plain, refusedWith, S, Setup } from "./_setup.ts";

/** Refusals. */
export const REFUSALS: readonly Behaviour[] = [
  plain("refuses damaged xclbins, and lives on", async (npu, data) => {
    const whole = await Deno.readFile(data + PRODUCTS[0].xclbin);
    const header = new DataView(whole.buffer);
    const ends = Array.from({ length: header.getUint32(448, true) }, (_, i) => 456 + 40 * i)
      .map((at) => Number(header.getBigUint64(at + 24, true) + header.getBigUint64(at + 32, true)));
    const device = await npu.device();
    await refusedWith(npu.overlay(device, new Uint8Array(0)), S.SOTTO_XRT_XCLBIN);
    await refusedWith(npu.overlay(device, new TextEncoder().encode("xclbin2\0")), S.SOTTO_XRT_XCLBIN);
    for (let length = 8; length < whole.length; length += 499) {
      const cut = whole.slice(0, length);
      await refusedWith(npu.overlay(device, cut), S.SOTTO_XRT_XCLBIN);
      if (length < 312 || length >= Math.max(...ends)) continue; // what follows the sections is a comment
      new DataView(cut.buffer).setBigUint64(304, BigInt(length), true); // a header that agrees
      await refusedWith(npu.overlay(device, cut), S.SOTTO_XRT_XCLBIN);
    }
    npu.destroy(await npu.overlay(device, whole), device);
  }),

  plain("refuses a kernel of another name", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    await refusedWith(npu.kernel(setup.opened.context, "NOPE"), S.SOTTO_XRT_XCLBIN);
    await refusedWith(npu.kernel(setup.opened.context, ""), S.SOTTO_XRT_XCLBIN);
  }),

  plain("checks the number and kind of every argument", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const run = await setup.run();
    for (const index of [8, 9, 31, 64, 0xffffffff]) {
      await refusedWith(
        npu.do((s, e) => s.sotto_xrt_run_set_scalar(run, index, 1n, ...e)),
        S.SOTTO_XRT_INVALID_ARGUMENT,
      );
      await refusedWith(
        npu.do((s, e) => s.sotto_xrt_run_set_buffer(run, index, setup.buffers[0], ...e)),
        S.SOTTO_XRT_INVALID_ARGUMENT,
      );
    }
    await refusedWith(
      npu.do((s, e) => s.sotto_xrt_run_set_scalar(run, 3, 1n, ...e)),
      S.SOTTO_XRT_INVALID_ARGUMENT,
    );
    await refusedWith(
      npu.do((s, e) => s.sotto_xrt_run_set_scalar(run, 2, 1n << 32n, ...e)),
      S.SOTTO_XRT_INVALID_ARGUMENT,
    );
    for (const [index, buffer] of [[0, setup.buffers[0]], [1, setup.buffers[0]]] as const) {
      await refusedWith(
        npu.do((s, e) => s.sotto_xrt_run_set_buffer(run, index, buffer, ...e)),
        S.SOTTO_XRT_INVALID_ARGUMENT,
      );
    }
    await npu.finish(run);
    await setup.expectProduct();
    npu.destroy(run);
  }),

  plain(
    "refuses to start a run whose arguments are missing, and to wait for one not started",
    async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await npu.make((s, h, e) => s.sotto_xrt_run_create(setup.opened.kernel, h, ...e));
      await refusedWith(npu.start(run), S.SOTTO_XRT_INVALID_ARGUMENT);
      equal((await npu.wait(run, 10)).status, S.SOTTO_XRT_INVALID_ARGUMENT);
      await npu.do((s, e) => s.sotto_xrt_run_set_scalar(run, 0, 3n, ...e));
      await refusedWith(npu.start(run), S.SOTTO_XRT_INVALID_ARGUMENT);
      npu.destroy(run);
    },
  ),

  plain("does not let a run use what an earlier run was given", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const first = await setup.run();
    await npu.finish(first);
    npu.destroy(first);
    await setup.clear();
    const second = await setup.run(setup.words, setup.buffers.slice(0, 2));
    await npu.start(second);
    equal((await npu.wait(second)).status, S.SOTTO_XRT_COMMAND_ERROR);
    const left = new Uint8Array(await npu.read(setup.buffers[2], 4096));
    ok(left.every((byte) => byte === 0));
    npu.destroy(second);
  }),

  plain(
    "ends streams that are malformed or leave their buffers in state 5, then runs on",
    async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const change = (index: number, value: number) => {
        const words = setup.words.slice();
        words[index] = value;
        return words;
      };
      const hostile: Record<string, Uint32Array<ArrayBuffer>> = {
        "another version": change(0, 0x06030002),
        "another generation": change(0, 0x06040001),
        "more operations than words": change(2, 1000),
        "fewer operations than words": change(2, 3),
        "an unknown operation": change(4, 0x77),
        "a length past the end": change(6, 0x4000),
        "words that nothing takes": change(A_DESCRIPTOR, 0x4000),
        "a read past the end": change(A_DESCRIPTOR, 0x200000),
        "a write past the end": change(C_PATCH + 4, 0x40000),
        "an argument that is not there": change(C_PATCH + 3, 9),
        "a register outside the array": change(C_PATCH + 2, 0xfe01d004),
        "cut short": setup.words.slice(0, 100),
        "no header": setup.words.slice(0, 2),
      };
      for (const [what, words] of Object.entries(hostile)) {
        const run = await setup.run(words);
        await npu.start(run);
        const { status, value } = await npu.wait(run);
        deepEqual([what, status, value], [what, S.SOTTO_XRT_COMMAND_ERROR, 5]);
        npu.destroy(run);
      }
      const run = await setup.run();
      await npu.finish(run);
      await setup.expectProduct();
      npu.destroy(run);
    },
  ),

  plain("refuses buffers of no size and ranges past the end", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const { kernel } = setup.opened;
    await refusedWith(npu.buffer(kernel, 3, 0), S.SOTTO_XRT_INVALID_ARGUMENT);
    await refusedWith(npu.buffer(kernel, 0, 4096), S.SOTTO_XRT_INVALID_ARGUMENT);
    await refusedWith(npu.buffer(kernel, 99, 4096), S.SOTTO_XRT_INVALID_ARGUMENT);
    const kind = npu.make((s, h, e) => s.sotto_xrt_buffer_create(kernel, 3, 7, 4096n, h, ...e));
    await refusedWith(kind, S.SOTTO_XRT_INVALID_ARGUMENT);
    const buffer = await npu.buffer(kernel, 3, 4096);
    const size = (await npu.read(buffer, 4096)).byteLength;
    equal(size, 4096);
    await refusedWith(npu.write(buffer, new Uint8Array(2), 4095), S.SOTTO_XRT_INVALID_ARGUMENT);
    await refusedWith(npu.read(buffer, 1, 4096), S.SOTTO_XRT_INVALID_ARGUMENT);
    await refusedWith(npu.read(buffer, 4097), S.SOTTO_XRT_INVALID_ARGUMENT);
    for (const symbol of ["sotto_xrt_buffer_sync_to_device", "sotto_xrt_buffer_sync_from_device"] as const) {
      const sync = (offset: bigint, length: bigint) =>
        npu.do((s, e) => s[symbol](buffer, offset, length, ...e));
      await refusedWith(sync(64n, 4033n), S.SOTTO_XRT_INVALID_ARGUMENT);
      await refusedWith(sync(0xffffffffffffffffn, 2n), S.SOTTO_XRT_INVALID_ARGUMENT);
      await sync(0n, 4096n);
      await sync(64n, 128n);
      await sync(4096n, 0n);
    }
    await npu.write(buffer, Uint8Array.of(1, 2, 3), 100);
    deepEqual(new Uint8Array(await npu.read(buffer, 5, 99)), Uint8Array.of(0, 1, 2, 3, 0));
    npu.destroy(buffer);
  }),

  plain("answers stale handles and those of another kind with their own status", async (npu, data) => {
    await using setup = await Setup.make(npu, data);
    const run = await setup.run();
    npu.destroy(run);
    for (const handle of [run, 0n, setup.opened.device, 0xffffffffffffffffn]) {
      await refusedWith(npu.start(handle), S.SOTTO_XRT_INVALID_HANDLE);
      equal((await npu.wait(handle, 1)).status, S.SOTTO_XRT_INVALID_HANDLE);
    }
    equal(npu.symbols.sotto_xrt_destroy(run), S.SOTTO_XRT_INVALID_HANDLE);
    await refusedWith(npu.buffer(setup.opened.context, 3, 64), S.SOTTO_XRT_INVALID_HANDLE);
    await refusedWith(npu.counters(setup.buffers[0]), S.SOTTO_XRT_INVALID_HANDLE);
  }),
];
