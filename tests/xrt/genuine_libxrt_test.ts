import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { BASE_PASS_DATA, type BasePass, basePass } from "../npu/_base_pass.ts";
import { BEHAVIOURS } from "../npu/_behaviours.ts";
import { digests } from "../npu/_launches.ts";
import { Npu } from "../npu/_npu.ts";
import { sharedData } from "../support/shared_data.ts";
import { type Genuine, genuine } from "./genuine.ts";
import { NoPackagesError } from "./packages.ts";

const CHILD = new URL("_child.ts", import.meta.url).pathname;
const DIGESTS = new URL("_digests.ts", import.meta.url).pathname;
const BASE_PASS = new URL("_base_pass.ts", import.meta.url).pathname;
const data = sharedData("");

async function prepare(): Promise<Genuine | string> {
  if (sharedData("xclbin") === null) return "no ../shared/data/xclbin";
  try {
    return await genuine();
  } catch (error) {
    if (error instanceof NoPackagesError) return error.message;
    throw error;
  }
}

const prepared = await prepare();
if (typeof prepared === "string") console.log(`skipped: genuine libxrt (${prepared})`);

/** Reports of one child, by behaviour. */
async function reports({ shim, deno }: Genuine, settings: string): Promise<Map<string, string | null>> {
  const args = ["run", "-A", "--no-check", CHILD, shim, settings, data!];
  const { code, stdout, stderr } = await deno(args, settings).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line !== "");
  const said = new TextDecoder().decode(stderr);
  if (code !== 0) fail(`the process ended with ${code} after ${lines.length} behaviours: ${said}`);
  equal(said, "", "nothing may be printed");
  return new Map(lines.map((line) => JSON.parse(line)));
}

for (const settings of new Set(BEHAVIOURS.map(({ settings }) => settings))) {
  Deno.test({
    name: `libsotto_xrt on genuine libxrt${settings === "" ? "" : ` (${settings})`}`,
    ignore: typeof prepared === "string",
    fn: async (test) => {
      const found = await reports(prepared as Genuine, settings);
      for (const { name } of BEHAVIOURS.filter((one) => one.settings === settings)) {
        await test.step(name, () => {
          if (found.get(name) !== null) fail(found.get(name) ?? "the process did not get here");
        });
      }
    },
  });
}

Deno.test({
  name: "our overlays and the predecessor's kernels give the same bits through genuine libxrt as directly",
  ignore: typeof prepared === "string",
  fn: async () => {
    const { shim, deno } = prepared as Genuine;
    const { stdout, stderr } = await deno(["run", "-A", "--no-check", DIGESTS, shim, data!]).output();
    equal(new TextDecoder().decode(stderr), "");
    const npu = new Npu();
    await npu.configure("");
    deepEqual(JSON.parse(new TextDecoder().decode(stdout)), await digests(npu, data!));
  },
});

/** Most error of the features against PyTorch's. */
const MOST_ERROR = { bf16: 0.01, int8: 0.03 } as const;

for (const precision of ["bf16", "int8"] as const) {
  Deno.test({
    name: `a whole base encoder pass in ${precision} gives the same bits through genuine libxrt as directly`,
    ignore: typeof prepared === "string" || BASE_PASS_DATA.some((path) => sharedData(path) === null),
    fn: async () => {
      const { shim, deno } = prepared as Genuine;
      const args = ["run", "-A", "--no-check", BASE_PASS, shim, data!, precision];
      const { stdout, stderr } = await deno(args).output();
      equal(new TextDecoder().decode(stderr), "");
      const through: BasePass = JSON.parse(new TextDecoder().decode(stdout));
      const directly = await basePass("npu-emulated", data!, precision);
      const ms = (pass: BasePass) => `${pass.milliseconds.toFixed(0)} ms`;
      console.log(
        `  ${through.launches} launches, error ${through.error.toFixed(5)}; computed in ${ms(through)} and ${
          ms(directly)
        }`,
      );
      deepEqual([through.digest, through.launches], [directly.digest, directly.launches]);
      ok(through.error < MOST_ERROR[precision], `${through.error}`);
    },
  });
}
