/** Windows that are done together: one product for all of them, the same bits as one at a time. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { Warning } from "../../errors.ts";
import { XrtLibrary } from "../../ffi/xrt_library.ts";
import { NPU_PRECISIONS } from "../../kernels/npu/policy.ts";
import { type WaitingWindow, WindowQueue } from "../../kernels/npu/window_queue.ts";
import { DIMS, logMel, openEmulated, PLAN, WEIGHTS } from "./_encoder.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const LAUNCHES = 2 + 5 * DIMS.n_audio_layer;
const bits = (values: Float32Array<ArrayBuffer>) => new Uint32Array(values.buffer);

for (const precision of NPU_PRECISIONS) {
  const npuModel = precision.startsWith("bfp16") ? "device=strix" : "";
  testOnEmulatedNpu(
    `NpuDevice gives batches of 1 to 8 windows in ${precision} the bits of each alone`,
    [],
    async () => {
      const inputs = Array.from({ length: 8 }, (_, i) => logMel(i + 1));
      using device = await openEmulated({ npuPrecision: precision, npuModel });
      using plan = await device.loadPlan(PLAN, WEIGHTS);
      const alone: Float32Array<ArrayBuffer>[] = [];
      for (const input of inputs) alone.push(await plan.run(input));
      for (const count of [2, 3, 4, 8]) {
        const before = device.usage();
        const together = await Promise.all(inputs.slice(0, count).map((input) => plan.run(input)));
        together.forEach((features, i) =>
          deepStrictEqual(bits(features), bits(alone[i]), `${count}: window ${i}`)
        );
        const { launches, bytesIn } = device.usage();
        strictEqual(
          launches - before.launches,
          2 * LAUNCHES,
          "two groups, one on the host while the other is on the NPU",
        );
        ok(bytesIn > before.bytesIn);
      }
    },
  );
}

testOnEmulatedNpu(
  "NpuDevice does up to eight windows in the launches of one where it is told not to overlap",
  [],
  async () => {
    using device = await openEmulated({ npuOverlap: false });
    using plan = await device.loadPlan(PLAN, WEIGHTS);
    const alone = await plan.run(logMel());
    for (const [count, groups] of [[1, 1], [2, 1], [8, 1], [9, 2]]) {
      const before = device.usage().launches;
      const all = await Promise.all(Array.from({ length: count }, () => plan.run(logMel())));
      strictEqual(device.usage().launches - before, groups * LAUNCHES);
      for (const features of all) deepStrictEqual(bits(features), bits(alone));
    }
  },
);

testOnEmulatedNpu(
  "NpuDevice keeps NaN and infinity of a window out of those that are done with it",
  [],
  async () => {
    using device = await openEmulated({ npuOverlap: false });
    using plan = await device.loadPlan(PLAN, WEIGHTS);
    const alone = await plan.run(logMel());
    const bad = logMel(2).fill(NaN, 0, 9000).fill(Infinity, 9000);
    const [first, , last] = await Promise.all([logMel(), bad, logMel()].map((input) => plan.run(input)));
    deepStrictEqual(bits(first), bits(alone));
    deepStrictEqual(bits(last), bits(alone));
  },
);

testOnEmulatedNpu(
  "NpuLoadedPlan ends one of several windows that are done together, the others go on",
  [],
  async () => {
    using device = await openEmulated({ npuModel: "slow=10", npuOverlap: false });
    using plan = await device.loadPlan(PLAN, WEIGHTS);
    const stop = new AbortController();
    const [first, second] = [plan.run(logMel(), { signal: stop.signal }), plan.run(logMel())];
    setTimeout(() => stop.abort(), 30);
    await rejects(first, { code: "E_ABORTED" });
    strictEqual((await second).length, DIMS.n_audio_ctx * DIMS.n_audio_state);
    const third = plan.run(logMel(), { signal: stop.signal });
    await rejects(third, { code: "E_ABORTED" });
  },
);

testOnEmulatedNpu(
  "NpuDevice does all windows of a group again after a hang, with one warning that names them",
  [],
  async () => {
    const warnings: Warning[] = [];
    const onWarning = (warning: Warning) => void warnings.push(warning);
    using device = await openEmulated({ npuModel: "hang@4,watchdog=50", npuOverlap: false });
    XrtLibrary.open("sotto_npu_emulated").configure("");
    await using plan = await device.loadPlan(PLAN, WEIGHTS);
    const spans = [{ start: 0, end: 30 }, { start: 30, end: 47.25 }];
    const heard = await Promise.all(spans.map((span) => plan.run(logMel(), { span, onWarning })));
    const again = await plan.run(logMel());
    for (const features of heard) deepStrictEqual(bits(features), bits(again));
    deepStrictEqual(warnings.map(({ code }) => code), ["W_NPU_RETRIED"]);
    match(warnings[0].message, /; in the windows 0:00\.0 to 0:30\.0, 0:30\.0 to 0:47\.3$/);
    strictEqual(device.usage().fallbacks, 0);
  },
);

testOnEmulatedNpu(
  "NpuDevice gives up two groups at once, not one after the other's watchdog",
  [],
  async () => {
    const warnings: Warning[] = [];
    const onWarning = (warning: Warning) => void warnings.push(warning);
    // Every command hangs: one after the other, those of two groups would keep both for three watchdogs or more.
    using device = await openEmulated({ npuModel: `hang@${LAUNCHES + 1}+,watchdog=400` });
    await using plan = await device.loadPlan(PLAN, WEIGHTS);
    await plan.run(logMel());
    XrtLibrary.open("sotto_npu_emulated").configure("hang,watchdog=400");
    const [first, second] = [0, 1].map(() => plan.run(logMel(), { onWarning }));
    const features = await first;
    deepStrictEqual(bits(await second), bits(features));
    XrtLibrary.open("sotto_npu_emulated").configure("");
    deepStrictEqual(warnings.map(({ code }) => code), ["W_NPU_LOST"]);
    deepStrictEqual([device.usage().fallbacks, device.usage().retries], [2, 0]);
  },
);

Deno.test("WindowQueue shares out those that wait, and tells nobody before it is idle", async () => {
  const groups: number[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const work = async (windows: readonly WaitingWindow[]) => {
    groups.push(windows.map(({ input }) => input[0]));
    gates.push(Promise.withResolvers());
    await gates.at(-1)!.promise;
    return windows.map(({ input }) => ({ status: "fulfilled", value: input }) as const);
  };
  const queue = new WindowQueue({ groups: 2, most: 3 }, work);
  const add = (...names: number[]) => names.map((name) => queue.add(Float32Array.of(name), {}));
  const early = add(1, 2, 3);
  await Promise.resolve();
  deepStrictEqual(groups, [[1, 2], [3]]);
  const late = add(4, 5, 6, 7, 8);
  await Promise.resolve();
  strictEqual(groups.length, 2);
  gates[0].resolve();
  await Promise.all(early.slice(0, 2));
  deepStrictEqual(groups[2], [4, 5, 6]);
  gates[1].resolve();
  gates[2].resolve();
  await early[2];
  while (groups.length < 4) await Promise.resolve();
  deepStrictEqual(groups[3], [7, 8]);
  gates[3].resolve();
  deepStrictEqual((await Promise.all(late)).map(([name]) => name), [4, 5, 6, 7, 8]);
  ok(!queue.isBusy);
});
