// The same for what few jobs use: an emulated NPU, a network for voice activity, a precision file.

import { join } from "node:path";
import { writeCalibration } from "../../encoder/calibration_file.ts";
import { onnxRuntimeLibrary } from "../../voice/onnx_runtime.ts";
import { demoCalibration } from "../calibrate/_calibration.ts";
import { testOnEmulatedNpu } from "../npu/_with_emulated.ts";
import { DEMO_MODEL, inFolder } from "../support/command.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { testWithOnnxRuntime } from "../voice/_onnx_runtime.ts";
import { sileroStandIn } from "../voice/_silero_stand_in.ts";
import { checkJob, COMMAND, cpu, MODEL, onCpu } from "./_permission_jobs.ts";

const EMULATED = LIBRARY_PATH.replace("sotto_cpu", "sotto_npu_emulated");

testOnEmulatedNpu("The emulated NPU needs its library beside the CPU's, and each of them", [], async () => {
  const args = [...MODEL, "--device", "npu-emulated", COMMAND];
  await checkJob({ args, needs: { read: [DEMO_MODEL], ffi: [LIBRARY_PATH, EMULATED] } });
});

testOnEmulatedNpu("How the emulated NPU behaves needs its variable, where that is set", [], async () => {
  const args = [...MODEL, "--device", "npu-emulated", COMMAND];
  const needs = { read: [DEMO_MODEL], ffi: [LIBRARY_PATH, EMULATED], env: ["SOTTO_NPU_MODEL"] };
  await checkJob({ args, needs, env: { SOTTO_NPU_MODEL: "device=strix" }, optional: ["SOTTO_NPU_MODEL"] });
});

testWithLibrary("A precision file is read, and nothing else for it", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "mine.json");
    await Deno.writeTextFile(file, writeCalibration(await demoCalibration()));
    const args = [...MODEL, ...onCpu, "--precision", "int8", "--precision_file", file, COMMAND];
    await checkJob({ args, needs: { read: [DEMO_MODEL, file], ...cpu } });
  });
});

testWithOnnxRuntime("A network for voice activity needs its file and ONNX Runtime's library", async () => {
  await inFolder(async (folder) => {
    const model = join(folder, "vad.onnx");
    await Deno.writeFile(model, sileroStandIn({ loud: 0.02 }));
    const args = [...MODEL, ...onCpu, "--vad_filter", "True", "--vad_model", model, COMMAND];
    const ffi = [...cpu.ffi ?? [], await onnxRuntimeLibrary()];
    await checkJob({ args, needs: { read: [DEMO_MODEL, model], ffi } });
  });
});
