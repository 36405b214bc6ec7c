/**
 * Encodes two windows on the device `npu` of a library whose NPU fails, in a process of its own:
 * `_faults.ts <library> <overlay> <cpu|fail>`. Prints a line of JSON: the code of the error or null, the warnings, and whether
 * the features are those of the CPU device.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { NpuDevice } from "../../kernels/npu/device.ts";
import { logMel, PLAN, WEIGHTS } from "../npu/_encoder.ts";

const [npuLibrary, npuOverlay, onNpuFault] = Deno.args as [string, string, "cpu" | "fail"];
const warnings: string[] = [];
const said: { code: string | null; warnings: string[]; isCpus: boolean[] } = {
  code: null,
  warnings,
  isCpus: [],
};
try {
  const onWarning = ({ code }: { code: string }) => void warnings.push(code);
  using npu = await NpuDevice.open("npu", { threads: 1, npuLibrary, npuOverlay, onNpuFault, onWarning });
  using plan = await npu.loadPlan(PLAN, WEIGHTS);
  using cpu = CpuDevice.open({ threads: 1 });
  using reference = await cpu.loadPlan(PLAN, WEIGHTS);
  for (const seed of [1, 2]) {
    const [found, expected] = [await plan.run(logMel(seed)), await reference.run(logMel(seed))];
    said.isCpus.push(found.every((x, i) => x === expected[i]));
  }
} catch (error) {
  if (!(error instanceof SottoError)) throw error;
  said.code = error.code;
}
console.log(JSON.stringify(said));
