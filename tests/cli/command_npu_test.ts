import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { EXIT_STATUS } from "../../errors.ts";
import { testOnEmulatedNpu } from "../npu/_with_emulated.ts";
import { assertRefused, DEMO_MODEL, type Permissions, recording, runCommand } from "../support/command.ts";
import { LIBRARY_PATH } from "../support/cpu_library.ts";

const AUDIO = recording("01_command");
const NPU_LIBRARY = LIBRARY_PATH.replace("sotto_cpu", "sotto_npu_emulated");
const PERMISSIONS: Permissions = {
  read: [DEMO_MODEL, AUDIO],
  ffi: [LIBRARY_PATH, NPU_LIBRARY],
  env: ["SOTTO_NPU_MODEL"],
};

const transcribe = (device: string, model: string, permissions: Permissions = PERMISSIONS) =>
  runCommand(["--model", DEMO_MODEL, "--device", device, AUDIO], {
    permissions,
    env: { SOTTO_NPU_MODEL: model },
  });

testOnEmulatedNpu(
  "transcribe --device npu-emulated prints the CPU's words, and launches, bytes, modelled time",
  [],
  async () => {
    const [npu, cpu] = [await transcribe("npu-emulated", ""), await transcribe("cpu", "")];
    deepStrictEqual([npu.code, npu.stdout], [0, cpu.stdout]);
    match(
      npu.stderr,
      /NPU Phoenix \(modelled\).* · \d+ NPU launches, \d+ MiB in, \d+ MiB out, \d+ ms modelled · /,
    );
  },
);

testOnEmulatedNpu(
  "transcribe --device npu-emulated goes on with the CPU after a fault, and says so",
  [],
  async () => {
    const [npu, cpu] = [await transcribe("npu-emulated", "error@3+"), await transcribe("cpu", "")];
    deepStrictEqual([npu.code, npu.stdout], [0, cpu.stdout]);
    match(npu.stderr, /W_NPU_LOST: .*the CPU does the rest/);
    match(npu.stderr, /\d windows? finished on the CPU/);
  },
);

testOnEmulatedNpu(
  "transcribe --device npu-emulated gives every word after a hang in the middle, and one warning",
  [],
  async () => {
    const args = ["--model", DEMO_MODEL, "--device", "npu-emulated", recording("09_long")];
    const [sound, hung] = await Promise.all(
      ["", "hang@60,watchdog=300"].map((model) =>
        runCommand(args, { permissions: PERMISSIONS, env: { SOTTO_NPU_MODEL: model } })
      ),
    );
    deepStrictEqual([hung.code, hung.stdout], [0, sound.stdout]);
    strictEqual(hung.stderr.match(/^W_/gm)?.length, 1);
    match(hung.stderr, /^W_NPU_RETRIED: .*watchdog.*; in the window 0:5\d\.\d to 1:\d+\.\d$/m);
  },
);

for (
  const [model, code] of [["device=none", "E_NPU_ABSENT"], ["permission", "E_NPU_PERMISSION"], [
    "memlock",
    "E_NPU_MEMLOCK",
  ]] as const
) {
  testOnEmulatedNpu(
    `transcribe --device npu-emulated ends with ${code} for ${model}, in one line`,
    [],
    async () => {
      const { code: status, stdout, stderr } = await transcribe("npu-emulated", model);
      deepStrictEqual([status, stdout], [EXIT_STATUS[code], ""]);
      match(stderr, new RegExp(`^${code}: [^\n]+\n$`));
    },
  );
}

testOnEmulatedNpu(
  "transcribe --device npu-emulated names the flag for a library it may not open",
  [],
  async () => {
    const { code, stderr } = await transcribe("npu-emulated", "", { ...PERMISSIONS, ffi: [LIBRARY_PATH] });
    strictEqual(code, EXIT_STATUS.E_PERMISSION);
    match(stderr, /--allow-ffi=\S*libsotto_npu_emulated/);
  },
);

Deno.test("transcribe refuses what is said of an NPU where none is taken", async () => {
  for (
    const [device, option, value] of [
      ["cpu", "--npu_precision", "bf16"],
      ["auto", "--npu_precision", "bf16"],
      ["portable", "--npu_overlay", "no.xclbin"],
    ]
  ) {
    const args = ["--model", DEMO_MODEL, "--device", device, option, value, AUDIO];
    assertRefused(
      await runCommand(args),
      "E_OPTION",
      new RegExp(`${option} says nothing to --device ${device}`),
    );
  }
});

/** A machine with an NPU answers otherwise. */
function hasNoAccelerator(): boolean {
  try {
    return [...Deno.readDirSync("/dev/accel")].length === 0;
  } catch {
    return true;
  }
}

Deno.test({
  name: "transcribe --device npu ends with E_NPU_ABSENT on a machine without one",
  ignore: !hasNoAccelerator() || Deno.build.os !== "linux",
  fn: async () => {
    const permissions = {
      ...PERMISSIONS,
      read: [DEMO_MODEL, AUDIO],
      ffi: [LIBRARY_PATH, LIBRARY_PATH.replace("sotto_cpu", "sotto_xrt")],
    };
    const { code, stderr } = await transcribe("npu", "", permissions);
    strictEqual(code, EXIT_STATUS.E_NPU_ABSENT);
    match(stderr, /^E_NPU_ABSENT: .*\n$/);
  },
});
