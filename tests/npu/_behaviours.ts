/**
 * What an NPU library must do, whichever it is: run on the emulated library directly, and through AMD's libxrt with the same
 * model beneath it.
 *
 * @module
 */

import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { SottoXrtCounter, SottoXrtStatus } from "../../ffi/xrt_symbols.ts";
import { type Npu, type Opened, readStream, StatusError } from "./_npu.ts";
import { numbers, type Product, PRODUCTS, reference } from "./_products.ts";

/** One thing to hold. */
export interface Behaviour {
  readonly name: string;
  /** The text of `SOTTO_NPU_MODEL`. */
  readonly settings: string;
  /** @param data The folder `../shared/data`, with a final slash. */
  readonly body: (npu: Npu, data: string) => Promise<void>;
}

const S = SottoXrtStatus;

/** Places in the single-core matmul's stream: C's address patch, and the length in A's first descriptor. */
const C_PATCH = 15, A_DESCRIPTOR = 31, C_DESCRIPTOR = 7;

/** The single-core matmul, ready to run: what most behaviours use. */
class Setup implements AsyncDisposable {
  private constructor(
    readonly npu: Npu,
    readonly product: Product,
    readonly opened: Opened,
    readonly words: Uint32Array<ArrayBuffer>,
    readonly buffers: readonly bigint[],
    readonly a: Int16Array<ArrayBuffer>,
    readonly b: Int16Array<ArrayBuffer>,
  ) {}

  static async make(npu: Npu, data: string, product: Product = PRODUCTS[0]): Promise<Setup> {
    const { m, k, n, out } = product;
    const opened = await npu.open(await Deno.readFile(data + product.xclbin));
    const range = out === "i16" ? 4 : 1000;
    const a = numbers(m * k, range), b = numbers(k * n, range);
    const sizes = [a.byteLength, b.byteLength, m * n * (out === "i32" ? 4 : 2)];
    const buffers: bigint[] = [];
    for (const [i, size] of sizes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
    await npu.write(buffers[0], a);
    await npu.write(buffers[1], b);
    return new Setup(npu, product, opened, await readStream(data + product.stream), buffers, a, b);
  }

  run(words = this.words, buffers: readonly bigint[] = this.buffers): Promise<bigint> {
    return this.npu.run(this.opened.kernel, words, buffers);
  }

  async expectProduct(): Promise<void> {
    const { m, n, out } = this.product;
    const result = await this.npu.read(this.buffers[2], m * n * (out === "i32" ? 4 : 2));
    const expected = reference(this.product, this.a, this.b);
    deepEqual(out === "i32" ? new Int32Array(result) : new Int16Array(result), expected);
  }

  async clear(): Promise<void> {
    const { m, n, out } = this.product;
    await this.npu.write(this.buffers[2], new Uint8Array(m * n * (out === "i32" ? 4 : 2)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.npu.destroy(...this.buffers);
    this.npu.close(this.opened);
    return Promise.resolve();
  }
}

async function refusedWith(promise: Promise<unknown>, ...statuses: number[]): Promise<void> {
  await rejects(promise, (error: unknown) => {
    ok(error instanceof StatusError, String(error));
    ok(statuses.includes(error.status), `status ${error.status} (${error.message}), not ${statuses}`);
    notEqual(error.message, "");
    return true;
  });
}

const plain = (name: string, body: Behaviour["body"]): Behaviour => ({ name, settings: "", body });

/** Every behaviour. */
export const BEHAVIOURS: readonly Behaviour[] = [
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
