/**
 * What an NPU library says of an NPU that is absent, refuses, fails, hangs or gets lost.
 *
 * @module
 */

import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import { PRODUCTS } from "./_products.ts";
import { type Behaviour, C_DESCRIPTOR, refusedWith, S, Setup } from "./_setup.ts";

/** Faults. */
export const FAULTS: readonly Behaviour[] = [
  ...[
    ["device=none", S.SOTTO_XRT_ABSENT],
    ["permission", S.SOTTO_XRT_PERMISSION],
    ["memlock", S.SOTTO_XRT_MEMLOCK],
  ].map(([settings, status]): Behaviour => ({
    name: `says why it cannot open the NPU with ${settings}`,
    settings: String(settings),
    body: async (npu) => {
      const count = new Uint32Array(1), json = new Uint8Array(256);
      const probed = await npu.try((s, e) => s.sotto_xrt_probe(count, json, 256n, ...e));
      deepEqual([probed.status, count[0]], [status, 0]);
      notEqual(probed.text, "");
      await refusedWith(npu.device(), Number(status));
    },
  })),

  {
    name: "passes on that a context is refused",
    settings: "context=16",
    body: async (npu, data) => {
      await refusedWith(
        npu.open(await Deno.readFile(data + PRODUCTS[0].xclbin)),
        S.SOTTO_XRT_CONTEXT_REFUSED,
      );
    },
  },
  {
    name: "passes on that buffers are refused",
    settings: "buffer=12",
    body: async (npu, data) => {
      // libxrt needs buffers for a context already.
      await refusedWith(Setup.make(npu, data), S.SOTTO_XRT_BUFFER_REFUSED, S.SOTTO_XRT_CONTEXT_REFUSED);
    },
  },
  ...[3, 4, 5, 6].map((n): Behaviour => ({
    name: `passes on that buffer ${n} alone is refused, and prints nothing`,
    settings: `buffer=12@${n}`,
    body: async (npu, data) => {
      // Which buffer it is depends on how many the library itself needs; on some none of ours.
      try {
        await using setup = await Setup.make(npu, data);
        const run = await setup.run();
        await npu.finish(run);
        npu.destroy(run);
      } catch (error) {
        await refusedWith(Promise.reject(error), S.SOTTO_XRT_BUFFER_REFUSED, S.SOTTO_XRT_CONTEXT_REFUSED);
      }
    },
  })),
  {
    name: "passes on that a command is refused, and runs the next",
    settings: "submit=22@2",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await setup.run();
      await npu.finish(run);
      await refusedWith(npu.start(run), S.SOTTO_XRT_SUBMIT_REFUSED);
      await npu.finish(run);
      await setup.expectProduct();
      npu.destroy(run);
    },
  },
  {
    name: "says that a command failed, and runs the next",
    settings: "error@2",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await setup.run();
      await npu.finish(run);
      await npu.start(run);
      const { status, value, text } = await npu.wait(run, 5000);
      deepEqual([status, value], [S.SOTTO_XRT_COMMAND_ERROR, 5]);
      notEqual(text, "");
      await npu.finish(run);
      await setup.expectProduct();
      const counters = await npu.counters(setup.opened.device);
      equal(counters[SottoXrtCounter.SOTTO_XRT_COUNT_FAILURES], 1);
      npu.destroy(run);
    },
  },
  {
    name: "waits no longer than asked for a command that hangs, and says when the watchdog ended it",
    settings: "hang@2,watchdog=400",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await setup.run();
      await npu.finish(run);
      await npu.start(run);
      const early = await npu.wait(run, 50);
      equal(early.status, S.SOTTO_XRT_TIMEOUT);
      ok(early.value < 4, `state ${early.value}`);
      const late = await npu.wait(run, 10000);
      deepEqual([late.status, late.value], [S.SOTTO_XRT_COMMAND_HUNG, 8]);
      await npu.finish(run);
      await setup.expectProduct();
      npu.destroy(run);
    },
  },
  {
    name: "hangs where a stream waits for a token that cannot come",
    settings: "watchdog=300",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const words = setup.words.slice();
      words[C_DESCRIPTOR] = 0x8000; // more than the inputs make
      const run = await setup.run(words);
      await npu.start(run);
      const { status, value } = await npu.wait(run, 10000);
      deepEqual([status, value], [S.SOTTO_XRT_COMMAND_HUNG, 8]);
      npu.destroy(run);
    },
  },
  {
    name: "says that the NPU is lost, from then on",
    settings: "lost@2",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await setup.run();
      await npu.finish(run);
      await refusedWith(npu.start(run), S.SOTTO_XRT_DEVICE_LOST);
      await refusedWith(npu.start(run), S.SOTTO_XRT_DEVICE_LOST);
      await refusedWith(npu.buffer(setup.opened.kernel, 3, 4096), S.SOTTO_XRT_DEVICE_LOST);
      npu.destroy(run);
    },
  },
  {
    name: "lets nobody change or start a run that is under way",
    settings: "slow=300",
    body: async (npu, data) => {
      await using setup = await Setup.make(npu, data);
      const run = await setup.run();
      await npu.start(run);
      equal((await npu.wait(run, 20)).status, S.SOTTO_XRT_TIMEOUT);
      await refusedWith(npu.start(run), S.SOTTO_XRT_BUSY);
      await refusedWith(npu.do((s, e) => s.sotto_xrt_run_set_scalar(run, 2, 5n, ...e)), S.SOTTO_XRT_BUSY);
      await refusedWith(
        npu.do((s, e) => s.sotto_xrt_run_set_buffer(run, 3, setup.buffers[1], ...e)),
        S.SOTTO_XRT_BUSY,
      );
      equal((await npu.wait(run, 10000)).status, S.SOTTO_XRT_OK);
      await setup.expectProduct();
      npu.destroy(run);
    },
  },
  {
    name: "does not configure an XDNA2 NPU with an overlay for XDNA1",
    settings: "device=strix",
    body: async (npu, data) => {
      const device = await npu.device();
      const about = await npu.describe((s, json, e) => s.sotto_xrt_device_describe(device, ...json, ...e));
      deepEqual([about.name, about.generation, about.columns], ["NPU Strix", "npu2", 8]);
      const opened = npu.open(await Deno.readFile(data + PRODUCTS[0].xclbin));
      await refusedWith(opened, S.SOTTO_XRT_XCLBIN, S.SOTTO_XRT_CONTEXT_REFUSED);
      npu.destroy(device);
    },
  },
];
