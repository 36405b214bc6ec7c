import { deepEqual, equal } from "node:assert/strict";
import type { ErrorCode } from "../../errors.ts";
import { ENCODER_NPU1 } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import { type Genuine, genuine } from "./genuine.ts";
import { NoPackagesError } from "./packages.ts";

const CHILD = new URL("_faults.ts", import.meta.url).pathname;

async function prepare(): Promise<Genuine | string> {
  try {
    return await genuine();
  } catch (error) {
    if (error instanceof NoPackagesError) return error.message;
    throw error;
  }
}

const prepared = await prepare();
if (typeof prepared === "string") console.log(`skipped: faults beneath genuine libxrt (${prepared})`);

interface Said {
  readonly code: ErrorCode | null;
  readonly warnings: readonly string[];
  readonly isCpus: readonly boolean[];
}

async function saidBy(settings: string, onFault: "cpu" | "fail"): Promise<Said> {
  const { shim, deno } = prepared as Genuine;
  const overlay = await Deno.makeTempFile({ suffix: ".xclbin" });
  try {
    await Deno.writeFile(overlay, modelledXclbin(ENCODER_NPU1));
    const { code, stdout, stderr } = await deno(
      ["run", "-A", "--no-check", CHILD, shim, overlay, onFault],
      settings,
    ).output();
    equal(code, 0, new TextDecoder().decode(stderr)); // libxrt itself prints why it has no memory
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(overlay);
  }
}

/** Faults that stay: what device `npu` fails with, and that the CPU goes on where it may. */
const FAULTS: readonly (readonly [settings: string, code: ErrorCode, isAtOpen: boolean])[] = [
  ["device=none", "E_NPU_ABSENT", true],
  ["permission", "E_NPU_PERMISSION", true],
  ["memlock", "E_NPU_MEMLOCK", true],
  ["context=22", "E_NPU_CONTEXT", false],
  ["buffer=12", "E_NPU_CONTEXT", false], // libxrt makes buffers of its own for a context
  ["submit=5@3+", "E_NPU_COMMAND", false],
  ["error@3+", "E_NPU_COMMAND", false],
  ["hang@3+,watchdog=100", "E_NPU_TIMEOUT", false],
  ["lost@3+", "E_NPU_LOST", false],
];

for (const [settings, code, isAtOpen] of FAULTS) {
  Deno.test({
    name: `device npu beneath genuine libxrt fails with ${code} for ${settings}${
      isAtOpen ? "" : "; where it may, the CPU goes on with one warning"
    }`,
    ignore: typeof prepared === "string",
    fn: async () => {
      const failed = await saidBy(settings, "fail");
      deepEqual([failed.code, failed.warnings], [code, []]);
      if (isAtOpen) return;
      const went = await saidBy(settings, "cpu");
      deepEqual([went.code, went.warnings, went.isCpus], [null, ["W_NPU_LOST"], [true, true]]);
    },
  });
}
